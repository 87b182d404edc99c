"""Answers that were given to calls with an `Idempotency-Key`."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from sessions.columns import Json, Moment, now
from sessions.models.base import Base


class IdempotentAnswer(Base, table=True):
    """`scope` says whose key it is and for which call. Goes with its conversation, if it is about one."""

    __tablename__ = "idempotency"

    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_hash: str
    status: int = 200
    response: dict[str, Any] = Field(sa_type=Json, nullable=False)
    conversation_id: str | None = Field(default=None, foreign_key="conversation.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment, index=True)
