"""Messages: the lines of a transcript, and what customers thought of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from sessions.columns import Json, Moment, Words, iso, now
from sessions.models.base import Base

_ASSISTANT = text("role = 'assistant'")


class Message(Base, table=True):
    """One line. `seq` is that of its event, `content` what people read, `prompt_text` what the engine reads.

    `prompt_text` is None for a line that the engine never reads (a notice). `staff` marks a note that no customer
    sees. However often a turn is repeated, it has one assistant's message.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_conversation_id_seq", "conversation_id", "seq", unique=True),
        Index("ix_message_reply", "turn_id", unique=True, sqlite_where=_ASSISTANT, postgresql_where=_ASSISTANT),
    )

    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversation.id", ondelete="CASCADE")
    seq: int
    turn_id: str | None = None
    role: str
    staff: bool = False
    content: str = Field(sa_type=Words)
    prompt_text: str | None = Field(default=None, sa_type=Words)
    quick_replies: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)

    def wire(self) -> dict[str, Any]:
        """The message as every surface gets it."""
        return {
            "id": self.id,
            "seq": self.seq,
            "turn_id": self.turn_id,
            "role": self.role,
            "content": self.content,
            "quick_replies": self.quick_replies,
            "created_at": iso(self.created_at),
        }


class Feedback(Base, table=True):
    """Thumbs: `value` is a FeedbackValue."""

    __tablename__ = "feedback"

    message_id: str = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE")
    value: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
