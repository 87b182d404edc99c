"""The append-only log of a conversation."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from sessions.columns import Json, Moment, now
from sessions.models.base import Base


class Event(Base, table=True):
    """`seq` counts from 1 within the conversation; `kind` is an EventKind; `staff` events are hidden from customers.

    Rows that only matter while they happen (the text of a running reply, typing) are dropped later: numbers may be
    missing, but none is ever used twice or out of order.
    """

    __tablename__ = "event"

    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    kind: str
    turn_id: str | None = None
    staff: bool = False
    payload: dict[str, Any] = Field(sa_type=Json, nullable=False)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
