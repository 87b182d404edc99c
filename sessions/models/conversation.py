"""Conversations and their ratings."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from sessions.columns import Moment, Words, now
from sessions.models.base import Base
from sessions.pin import Pin


class Conversation(Base, table=True):
    """One customer's thread on one site.

    `state` is a ConversationState, `last_seq` the number of its newest event, `pin_at` the database's clock in
    seconds, `updated_at` the last change that a list of conversations shows (text that is being written is none).
    `subject` is who the website says the customer is, None for an anonymous one; whoever proves to be that person may
    do what the holder of the conversation's own token may.
    `waiting_since` is set while the state is waiting, `offered_at` once the bot has offered a human; `leaving` is true
    while the customer's next message is one for the humans, `contact` how the customer said to be reached.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_created_at", "created_at", "id"),
        Index("ix_conversation_subject", "subject", "site_key"),
        Index("ix_conversation_state", "state", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    site_key: str = Field(foreign_key="site.key", index=True)
    token_hash: str = Field(unique=True)
    subject: str | None = None
    locale: str
    state: str
    agent: str | None = None
    last_seq: int = 0
    pack: str
    pack_version: str
    pin_replica: str | None = Field(default=None, index=True)
    pin_boot_id: str | None = None
    pin_cached_tokens: int = 0
    pin_at: float | None = None
    pin_version: int = 0
    pin_brand: str | None = None
    pin_misses: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    pin_moved: str | None = None
    demand: str | None = Field(default=None, sa_type=Words)
    sentiment: str | None = None
    waiting_since: datetime | None = Field(default=None, sa_type=Moment)
    offered_at: datetime | None = Field(default=None, sa_type=Moment)
    leaving: bool = False
    contact: str | None = Field(default=None, sa_type=Words)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment, index=True)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def pin(self) -> Pin | None:
        """The replica that holds the conversation's prefix, as far as the store knows."""
        if self.pin_replica is None or self.pin_boot_id is None:
            return None
        held, kept = self.pin_cached_tokens, (self.pin_brand, self.pin_misses, self.pin_moved)
        return Pin(self.pin_replica, self.pin_boot_id, held, self.pin_at, *kept)


class Rating(Base, table=True):
    """The customer's verdict on a conversation, 1 to 5."""

    __tablename__ = "rating"

    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id", ondelete="CASCADE")
    score: int
    comment: str | None = Field(default=None, sa_type=Words)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
