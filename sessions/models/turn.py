"""Turns: one customer message and the reply to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from sessions.columns import Json, Moment, Words, now
from sessions.models.base import Base

_OPEN = text("state IN ('queued', 'running')")


class Turn(Base, table=True):
    """`state` is a TurnState. `attempt` fences: it only grows, and only its holder may write.

    `attempts_before` is `attempt` as it was when the turn was last queued. `lease_until` is the database's clock
    in seconds. `seq` is that of the turn's first `turn.started`, by which the turns of a conversation are answered
    in order. `prompt_seq` is where the turn stands in what the engine reads: the conversation's `last_seq` when
    the turn was first claimed (or the seq of its end, if it never was). Durations are ms; `ttfv` is the time to
    the first visible text.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_turn_id"),
        Index("ix_turn_conversation_id_seq", "conversation_id", "seq", unique=True),
        Index("ix_turn_created_at", "created_at"),
        Index("ix_turn_open", "created_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversation.id", ondelete="CASCADE")
    client_turn_id: str
    body_hash: str
    seq: int
    state: str
    attempt: int = 0
    attempts_before: int = 0
    owner: str | None = None
    lease_until: float | None = None
    stop_requested: bool = False
    prompt_seq: int | None = None
    traceparent: str | None = None
    trace_id: str | None = None
    error_code: str | None = None
    reply_message_id: str | None = None
    action: str | None = None
    template: str | None = None
    slots: dict[str, Any] | None = Field(default=None, sa_type=Json)
    lookup: dict[str, Any] | None = Field(default=None, sa_type=Json)
    demand: str | None = Field(default=None, sa_type=Words)
    sentiment: str | None = None
    action_reason: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    replica: str | None = None
    placement: str | None = None
    ttfv_ms: float | None = None
    total_ms: float | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def attempts(self) -> int:
        """Attempts since the turn was last queued."""
        return self.attempt - self.attempts_before
