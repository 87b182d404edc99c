"""Tables of the built-in trace store and the steps that bring an older database up to date.

They lie in the product's database beside the store's, under a prefix of their own and outside its migrations: traces
may be thrown away at any time, conversations may not.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    text,
    update,
)

METADATA = MetaData()

SCHEMA = Table("telemetry_schema", METADATA, Column("version", Integer, nullable=False))

SPANS = Table(
    "telemetry_span",
    METADATA,
    Column("trace_id", String(32), primary_key=True),
    Column("span_id", String(16), primary_key=True),
    Column("parent_id", String(16)),
    Column("name", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("events", Text, nullable=False),
    Index("telemetry_span_end", "end_ns"),
    Index("telemetry_span_span_id", "span_id"),
)

# Statements that lead from version n to n + 1, at place n - 1; a new database starts at the last version.
STEPS: tuple[tuple[str, ...], ...] = (("CREATE INDEX telemetry_span_span_id ON telemetry_span (span_id)",),)

_LOCK_KEY = 0x70696E6465736B  # "pindesk"; any number that no other program takes


def upgrade(connection: Connection) -> None:
    """Create the tables or take the missing steps, in the caller's transaction; processes take turns at it."""
    _take_turn(connection)
    METADATA.create_all(connection)
    version = connection.scalar(select(SCHEMA.c.version))
    latest = len(STEPS) + 1
    if version is None:
        connection.execute(insert(SCHEMA).values(version=latest))
        return
    for step in STEPS[version - 1 :]:
        for statement in step:
            connection.execute(text(statement))
    connection.execute(update(SCHEMA).values(version=latest))


def _take_turn(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
