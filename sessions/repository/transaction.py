"""A database session and what has to be told once it has committed."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sessions.models import Turn

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class Transaction:
    """`changed` maps each conversation with new events to whether a list of conversations shows the change.

    `stopped` are turns that somebody else than their owner ended: nobody else will tell of them.
    """

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        self.session = session
        self.writes = writes
        self.changed: dict[str, bool] = {}
        self.stopped: list[Turn] = []

    @property
    def is_postgres(self) -> bool:
        return self.session.get_bind().dialect.name == "postgresql"

    async def wait_alone(self, name: str) -> None:
        """Wait until no other writing transaction that gave this name is under way. SQLite has one writer anyway."""
        if self.writes and self.is_postgres:
            await self.session.execute(_ALONE, {"name": name})

    def touch(self, conversation_id: str, *, listed: bool) -> None:
        """Ring this conversation after the commit."""
        self.changed[conversation_id] = listed or self.changed.get(conversation_id, False)
