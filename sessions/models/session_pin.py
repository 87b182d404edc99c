"""Where the prefixes of the OpenAI endpoint's sessions lie."""

from sqlmodel import Field

from sessions.models.base import Base


class SessionPin(Base, table=True):
    """`session` is a digest, `at` the database's clock in seconds.

    PostgreSQL does not log this table: what a crash loses are hints, and every request writes one.
    """

    __tablename__ = "session_pin"

    session: str = Field(primary_key=True)
    replica: str
    boot_id: str
    cached_tokens: int
    brand: str | None = None
    misses: int = 0
    version: int = 1
    at: float = Field(index=True)
