"""Where programs are called back, and what they are told there."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from sessions.columns import Json, Moment, now
from sessions.models.base import Base

_PENDING = text("state = 'pending'")


class WebhookEndpoint(Base, table=True):
    """`secrets` sign, two while rotating; `kinds` are WebhookKinds, None means all.

    With `masked` no personal data that can be told from other words leaves the house. `disabled` is why nothing is
    sent any more.
    """

    __tablename__ = "webhook_endpoint"

    id: str = Field(primary_key=True)
    site_key: str = Field(foreign_key="site.key", index=True)
    url: str
    secrets: list[str] = Field(sa_type=Json, nullable=False)
    kinds: list[str] | None = Field(default=None, sa_type=Json)
    masked: bool = True
    disabled: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class WebhookDelivery(Base, table=True):
    """One event for one endpoint, written in the event's own transaction.

    `state` is a DeliveryState, `due_at` the database's clock in seconds: when it is sent next or, while it is being
    sent, when its sender counts as dead. `attempt` fences and only grows, `tries` counts since it was last queued.
    `data` is not masked yet. `status` and `error` are the last try's.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_due", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_webhook_delivery_created_at", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    endpoint_id: str = Field(foreign_key="webhook_endpoint.id", ondelete="CASCADE", index=True)
    conversation_id: str = Field(foreign_key="conversation.id", ondelete="CASCADE", index=True)
    kind: str
    data: dict[str, Any] = Field(sa_type=Json, nullable=False)
    state: str
    attempt: int = 0
    tries: int = 0
    due_at: float
    status: int | None = None
    error: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
