"""Deliveries to programs as the operator sees them: what was told to whom, never the words."""

from datetime import datetime

from pydantic import BaseModel

from sessions import DeliveryState, WebhookKind
from sessions.repository.webhooks import Logged


class DeliveryOut(BaseModel):
    """`id` is the `webhook-id` that the program got, `tries` counts since it was last queued."""

    id: str
    endpoint: str
    site: str
    url: str
    type: WebhookKind
    conversation_id: str
    state: DeliveryState
    tries: int
    status: int | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, logged: Logged) -> "DeliveryOut":
        delivery, endpoint = logged.delivery, logged.endpoint
        return cls(
            id=delivery.id,
            endpoint=endpoint.id,
            site=endpoint.site_key,
            url=endpoint.url,
            type=delivery.kind,
            conversation_id=delivery.conversation_id,
            state=delivery.state,
            tries=delivery.tries,
            status=delivery.status,
            error=delivery.error,
            created_at=delivery.created_at,
            finished_at=delivery.finished_at,
        )
