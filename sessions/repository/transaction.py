"""A database session and what has to be told: to programs before it commits, to everybody else after that."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sessions.models import Conversation, Turn
from sessions.vocabulary import WebhookKind

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True)
class Announcement:
    """What programs are to hear of a conversation."""

    conversation_id: str
    site_key: str
    kind: WebhookKind
    data: dict[str, Any]


class Transaction:
    """`changed` maps each conversation with new events to whether a list of conversations shows the change.

    `ended` are turns that somebody else than their owner ended: nobody else will tell of them.
    `announced` becomes deliveries before the commit, see `Outbox`.
    """

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        self.session = session
        self.writes = writes
        self.changed: dict[str, bool] = {}
        self.ended: list[Turn] = []
        self.announced: list[Announcement] = []

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

    def announce(self, conversation: Conversation, kind: WebhookKind, data: dict[str, Any]) -> None:
        """Have programs called back, if this commits."""
        known = {"conversation_id": conversation.id, "site": conversation.site_key}
        self.announced.append(Announcement(conversation.id, conversation.site_key, kind, known | data))
