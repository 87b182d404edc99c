"""Folded histories."""

from datetime import datetime

from sqlmodel import Field

from sessions.columns import Moment, Words, now
from sessions.models.base import Base


class Fold(Base, table=True):
    """What the engine reads in place of the beginning of a conversation; people go on reading the messages.

    `lines` counts the lines of the history that `text` stands for, `answered` the replies that had been given when
    it was made: their token counts are those of the longer prompt. `by_engine` tells a summary that the engine wrote
    from one that was put together from what the turns' rows say.
    """

    __tablename__ = "fold"

    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id", ondelete="CASCADE")
    lines: int
    answered: int
    text: str = Field(sa_type=Words)
    by_engine: bool
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
