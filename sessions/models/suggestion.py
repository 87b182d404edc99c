"""What an agent was offered to say, and what became of it."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from sessions.columns import Json, Moment, Words, now
from sessions.models.base import Base


class Suggestion(Base, table=True):
    """`base_seq` is how far the conversation had come; `outcome` a SuggestionOutcome, None while it is open.

    `conversation_id` is None for a conversation of another help desk.
    """

    __tablename__ = "suggestion"

    id: str = Field(primary_key=True)
    conversation_id: str | None = Field(default=None, foreign_key="conversation.id", ondelete="CASCADE", index=True)
    site_key: str = Field(foreign_key="site.key")
    pack: str
    pack_version: str
    template: str
    slots: dict[str, Any] = Field(sa_type=Json, nullable=False)
    content: str = Field(sa_type=Words)
    base_seq: int
    outcome: str | None = None
    agent: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Moment, index=True)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
