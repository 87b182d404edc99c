"""Column types that read the same from SQLite and from PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Float, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

_MOST = 2**31 - 1

Json = JSON(none_as_null=True)
"""PostgreSQL's `json`, not `jsonb`: it keeps the order of the members."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite, which knows no zones, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text of any length. NUL, which PostgreSQL cannot hold, is stored as U+FFFD by both databases."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else without_nul(value)


def without_nul(text: str) -> str:
    return text.replace("\x00", "\ufffd")


def within_range(seq: int) -> int:
    """The number, or the largest that an integer column holds: clients may ask for any."""
    return min(seq, _MOST)


def now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with a `Z`, as pydantic writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class clock(FunctionElement[float]):
    """The database's own clock in seconds since 1970: the one clock that all owners of leases share."""

    type = Float()
    inherit_cache = True


@compiles(clock, "sqlite")
def _sqlite_clock(element: Any, compiler: SQLCompiler, **_: Any) -> str:
    # unixepoch('subsec') needs SQLite 3.42; Debian 12 has 3.40. 2440587.5 is the Julian day of 1970.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _postgresql_clock(element: Any, compiler: SQLCompiler, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"
