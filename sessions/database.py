"""Connections: SQLite by default, PostgreSQL by URL, with the durability and the limits that the store promises."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

BUSY_MS = 5000
CONNECT_S = 2
POOL_S = 5.0
SQLITE_CONNECTIONS = 15

_WRITES = "pindesk_writes"
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
)
POSTGRES_OPTIONS = f"-c lock_timeout={BUSY_MS} -c statement_timeout=10000 -c idle_in_transaction_session_timeout=15000"


def driver_url(url: str, *, sync: bool = False) -> URL:
    """The URL as the user writes it (`sqlite:///var/pindesk.db`, `postgresql://...`) with our driver in it.

    Raises ValueError for another database.
    """
    parsed = make_url("postgresql" + url.removeprefix("postgres") if url.startswith("postgres:") else url)
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite" if sync else "sqlite+aiosqlite")
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"{parsed.get_backend_name()} is not a database that Pindesk can use: take sqlite or postgresql.")


def libpq_url(url: str) -> str:
    """The URL as psycopg itself takes it."""
    return driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def open_engine(url: str) -> AsyncEngine:
    """The engine of a running store; opens no connection yet."""
    target = driver_url(url)
    if target.get_backend_name() == "sqlite":
        _make_folder(target)
        engine = create_async_engine(
            target,
            # All are kept: one beyond would be a thread and a file opened for a single transaction.
            pool_size=SQLITE_CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_S,
        )
        _control_sqlite(engine.sync_engine, foreign_keys=True)
        return engine
    engine = create_async_engine(
        target,
        pool_size=10,
        max_overflow=10,
        pool_timeout=POOL_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_S, "options": POSTGRES_OPTIONS},
    )
    event.listen(engine.sync_engine, "connect", _take_any_text)
    return engine


def open_migrating_engine(url: str) -> Engine:
    """A synchronous engine whose every transaction writes. SQLite rebuilds tables, so foreign keys rest meanwhile."""
    target = driver_url(url, sync=True)
    if target.get_backend_name() != "sqlite":
        return create_engine(target, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_S})
    _make_folder(target)
    engine = create_engine(target, poolclass=NullPool)
    _control_sqlite(engine, foreign_keys=False)
    return engine.execution_options(**{_WRITES: True})


def writing(engine: AsyncEngine) -> AsyncEngine:
    """The engine for transactions that write: SQLite takes the write lock at once, not at the first write."""
    return engine.execution_options(**{_WRITES: True})


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The engine for transactions that only read: each sees one moment of the database."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


class _AnyText(StrDumperUnknown):
    """Sends NUL, which PostgreSQL refuses, as U+FFFD: an id with NUL in it is then merely unknown."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\x00", "\ufffd"))


def _take_any_text(connection: Any, _: Any) -> None:
    connection.driver_connection.adapters.register_dumper(str, _AnyText)


def _make_folder(url: URL) -> None:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _control_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    """Take transactions over from the driver, which begins them late and never as IMMEDIATE.

    The way that SQLAlchemy documents for Python before 3.12 ("Using SQLAlchemy to emit BEGIN").
    """
    event.listen(engine, "connect", _configure((*_PRAGMAS, f"PRAGMA foreign_keys={int(foreign_keys)}")))
    event.listen(engine, "begin", _begin)


def _configure(pragmas: tuple[str, ...]) -> Callable[[Any, Any], None]:
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return configure


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
