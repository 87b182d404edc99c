"""Which versions of packs served, and which of their templates are stopped."""

from datetime import datetime

from sqlmodel import Field

from sessions.columns import Json, Moment, now
from sessions.models.base import Base


class PackVersion(Base, table=True):
    """One version of a pack, kept for the conversations that began with it.

    `files` is text by path. Of the versions that are not withdrawn, the one that was released last gets `rollout`
    per cent of new conversations and the one before it the rest.
    """

    __tablename__ = "pack_version"

    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    files: dict[str, str] = Field(sa_type=Json, nullable=False)
    rollout: int = 100
    first_served_at: datetime = Field(default_factory=now, sa_type=Moment)
    released_at: datetime = Field(default_factory=now, sa_type=Moment)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Moment)


class Recall(Base, table=True):
    """A template that no customer of this pack gets any more, whatever the version."""

    __tablename__ = "recall"

    pack: str = Field(primary_key=True)
    template: str = Field(primary_key=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
