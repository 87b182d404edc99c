"""Replicas that an operator wants empty."""

from datetime import datetime

from sqlmodel import Field

from sessions.columns import Moment, now
from sessions.models.base import Base


class Drain(Base, table=True):
    """Holds for one boot of the replica: after a restart it serves again."""

    __tablename__ = "drain"

    replica: str = Field(primary_key=True)
    boot_id: str
    asked_at: datetime = Field(default_factory=now, sa_type=Moment)
