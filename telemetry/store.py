"""The built-in trace store: short synchronous transactions, made for the exporter's and the receiver's threads."""

import asyncio
import json
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from time import time_ns
from typing import Any

from sqlalchemy import Engine, Row, create_engine, delete, event, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from telemetry.names import TURN
from telemetry.record import SpanRecord
from telemetry.sampling import Sampling
from telemetry.schema import SPANS, upgrade

DELETE_BATCH = 500
CONNECT_S = 2
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
# Without a commit's own fsync a crash of the machine may cost the last spans; the main store's commits are not touched,
# each connection has its own setting.
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000")
_PLAIN = ("trace_id", "span_id", "parent_id", "name", "service", "start_ns", "end_ns")


class SpanStore:
    """Keeps spans in the product's database (`sqlite:///FILE` or `postgresql://...`) until their time is over.

    Raises ValueError for another database.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._insert = _upsert(self._engine.dialect.name)
        # SQLite has one writer: our own threads queue here instead of polling its lock.
        self._writing = threading.Lock()

    def open(self) -> None:
        """Create or upgrade the tables."""
        with self._writing, self._engine.begin() as connection:
            upgrade(connection)

    def save(self, spans: Sequence[SpanRecord]) -> None:
        """Store spans; one that is there already is replaced unless it ended later. Raises SQLAlchemyError."""
        if not spans:
            return
        # In one order everywhere, so that two processes never wait for each other's rows.
        rows = [_row(span) for span in sorted(spans, key=lambda span: (span.trace_id, span.span_id))]
        with self._writing, self._engine.begin() as connection:
            connection.execute(self._insert, rows)

    async def trace(self, trace_id: str) -> list[SpanRecord]:
        """All spans of a trace, by start."""
        return await asyncio.to_thread(self.read, trace_id)

    def read(self, trace_id: str) -> list[SpanRecord]:
        """`trace` for a thread that may wait."""
        query = select(SPANS).where(SPANS.c.trace_id == trace_id).order_by(SPANS.c.start_ns)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def trace_of(self, span_id: str) -> str | None:
        """The trace that a span belongs to; None if there is no such span."""
        with self._engine.connect() as connection:
            return connection.scalar(select(SPANS.c.trace_id).where(SPANS.c.span_id == span_id).limit(1))

    def ended_since(self, since_ns: int) -> list[SpanRecord]:
        """Every span that ended at `since_ns` or later, of whatever trace."""
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(select(SPANS).where(SPANS.c.end_ns >= since_ns))]

    def known(self, span_ids: Sequence[str]) -> set[str]:
        """Those of the spans that are here."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for first in range(0, len(span_ids), DELETE_BATCH):
                some = SPANS.c.span_id.in_(span_ids[first : first + DELETE_BATCH])
                found.update(connection.scalars(select(SPANS.c.span_id).where(some)))
        return found

    def expire(self, retention: timedelta) -> int:
        """Delete the spans that ended longer ago than `retention`; returns how many."""
        before_ns = time_ns() - int(retention.total_seconds() * 1e9)
        gone = 0
        while (batch := self._delete_batch(before_ns)) > 0:
            gone += batch
        return gone

    def thin(self, sampling: Sampling, since_ns: int, until_ns: int) -> int:
        """Delete the traces whose last turn ended in [since, until) and that need not be kept; returns how many."""
        ended = (SPANS.c.name == TURN, SPANS.c.end_ns >= since_ns, SPANS.c.end_ns < until_ns)
        turns: dict[str, list[SpanRecord]] = {}
        with self._engine.connect() as connection:
            traces = list(connection.scalars(select(SPANS.c.trace_id).where(*ended).distinct()))
            for first in range(0, len(traces), DELETE_BATCH):
                some = SPANS.c.trace_id.in_(traces[first : first + DELETE_BATCH])
                for row in connection.execute(select(SPANS).where(some, SPANS.c.name == TURN)):
                    turns.setdefault(row.trace_id, []).append(_record(row))
        dull = [
            trace_id
            for trace_id, found in turns.items()
            if max(turn.end_ns for turn in found) < until_ns and not sampling.keeps(trace_id, found)
        ]
        self.forget(dull)
        return len(dull)

    def forget(self, trace_ids: Sequence[str]) -> None:
        """Delete whole traces, as when their conversation is deleted."""
        with self._writing, self._engine.begin() as connection:
            for first in range(0, len(trace_ids), DELETE_BATCH):
                some = trace_ids[first : first + DELETE_BATCH]
                connection.execute(delete(SPANS).where(SPANS.c.trace_id.in_(some)))

    def close(self) -> None:
        self._engine.dispose()

    def _delete_batch(self, before_ns: int) -> int:
        older = select(SPANS.c.end_ns).where(SPANS.c.end_ns < before_ns).order_by(SPANS.c.end_ns)
        with self._writing, self._engine.begin() as connection:
            last_ns = connection.scalar(older.offset(DELETE_BATCH - 1).limit(1))
            until_ns = before_ns - 1 if last_ns is None else last_ns
            return connection.execute(delete(SPANS).where(SPANS.c.end_ns <= until_ns)).rowcount


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise ValueError(f"{parsed.get_backend_name()} is not a database that Pindesk can use: sqlite or postgresql")
    target = parsed.set(drivername=driver)
    if target.get_backend_name() != "sqlite":
        return create_engine(target, pool_size=4, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_S})
    Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(target, pool_size=4)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _upsert(dialect: str) -> Insert:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(SPANS)
    keys = [SPANS.c.trace_id, SPANS.c.span_id]
    replaced = {column.name: statement.excluded[column.name] for column in SPANS.c if not column.primary_key}
    return statement.on_conflict_do_update(
        index_elements=keys, set_=replaced, where=SPANS.c.end_ns <= statement.excluded.end_ns
    )


def _row(span: SpanRecord) -> dict[str, Any]:
    return {
        **{name: getattr(span, name) for name in _PLAIN},
        "attributes": json.dumps(span.attributes),
        "events": json.dumps(span.events),
    }


def _record(row: Row[Any]) -> SpanRecord:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return SpanRecord(**plain, attributes=json.loads(row.attributes), events=json.loads(row.events))
