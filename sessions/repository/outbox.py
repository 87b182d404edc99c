"""`repo.outbox`: what programs are still to be told; claimed for one try by a lease on the database's clock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import literal_column, select, update

from sessions.columns import clock, now
from sessions.identifiers import DELIVERY, new_id
from sessions.models import Turn, WebhookDelivery, WebhookEndpoint
from sessions.repository.part import Part
from sessions.repository.transaction import Announcement
from sessions.vocabulary import DeliveryState, WebhookKind


@dataclass(frozen=True)
class Due:
    """A delivery in the hands of its sender. `attempt` fences; `tries` counts from 1, with this one.

    `slots` are those of every reply of the conversation, {name: {value, source}}: what has to be known to mask.
    """

    id: str
    attempt: int
    tries: int
    endpoint_id: str
    url: str
    secrets: tuple[str, ...]
    masked: bool
    kind: WebhookKind
    data: dict[str, Any]
    created_at: datetime
    slots: tuple[dict[str, Any], ...]


class Outbox(Part):
    async def post(self) -> int:
        """Write a delivery of everything that this transaction announced to every endpoint that wants it.

        Returns how many. The store calls it before it commits.
        """
        by_site = sorted(self.tx.announced, key=lambda each: each.site_key)
        posted = [
            WebhookDelivery(
                id=new_id(DELIVERY),
                endpoint_id=endpoint.id,
                conversation_id=each.conversation_id,
                kind=each.kind,
                data=each.data,
                state=DeliveryState.PENDING,
                due_at=0,
            )
            for site_key, told in groupby(by_site, key=lambda each: each.site_key)
            for endpoint, each in _wanted(await self._endpoints(site_key), list(told))
        ]
        self.session.add_all(posted)
        return len(posted)

    async def is_due(self) -> bool:
        """Whether there is anything to claim; asked often, and cheap."""
        due = select(WebhookDelivery.id).where(*_due()).limit(1)
        return await self.session.scalar(due) is not None

    async def claim(self, lease_s: float, exclude: Collection[str] = ()) -> Due | None:
        """Take the delivery that has been due longest, to an endpoint not in `exclude`; None when there is none.

        Nobody else gets it for `lease_s`; a sender that has died by then loses it.
        """
        wanted = (
            select(WebhookDelivery)
            .where(*_due())
            .order_by(WebhookDelivery.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        if exclude:
            wanted = wanted.where(WebhookDelivery.endpoint_id.not_in(exclude))
        delivery = await self.session.scalar(wanted)
        if delivery is None:
            return None
        delivery.attempt, delivery.tries = delivery.attempt + 1, delivery.tries + 1
        delivery.due_at = clock() + lease_s
        await self.session.flush()
        endpoint = await self.session.get_one(WebhookEndpoint, delivery.endpoint_id)
        slots = select(Turn.slots).where(
            Turn.conversation_id == delivery.conversation_id, Turn.reply_message_id.is_not(None)
        )
        return Due(
            id=delivery.id,
            attempt=delivery.attempt,
            tries=delivery.tries,
            endpoint_id=endpoint.id,
            url=endpoint.url,
            secrets=tuple(endpoint.secrets),
            masked=endpoint.masked,
            kind=WebhookKind(delivery.kind),
            data=delivery.data,
            created_at=delivery.created_at,
            slots=tuple(filter(None, await self.session.scalars(slots))),
        )

    async def delivered(self, due: Due, status: int) -> bool:
        """The program has taken it. False when another sender has it by now, or it is gone."""
        return await self._end(due, DeliveryState.DELIVERED, status=status, error=None)

    async def retry(self, due: Due, delay_s: float, *, status: int | None, error: str) -> bool:
        """Try again after `delay_s`. False as for `delivered`."""
        return await self._change(due, due_at=clock() + delay_s, status=status, error=error)

    async def give_up(self, due: Due, *, status: int | None, error: str) -> bool:
        """Try no more. False as for `delivered`."""
        return await self._end(due, DeliveryState.DEAD, status=status, error=error)

    async def _endpoints(self, site_key: str) -> Sequence[WebhookEndpoint]:
        of_site = (WebhookEndpoint.site_key == site_key, WebhookEndpoint.disabled.is_(None))
        return (await self.session.scalars(select(WebhookEndpoint).where(*of_site))).all()

    async def _end(self, due: Due, state: DeliveryState, *, status: int | None, error: str | None) -> bool:
        return await self._change(due, state=state, status=status, error=error, finished_at=now())

    async def _change(self, due: Due, **values: Any) -> bool:
        held = (
            WebhookDelivery.id == due.id,
            WebhookDelivery.attempt == due.attempt,
            WebhookDelivery.state == DeliveryState.PENDING,
        )
        changed = await self.session.execute(update(WebhookDelivery).where(*held).values(**values))
        return changed.rowcount > 0


def _due() -> tuple[Any, ...]:
    # Written out: only so does SQLite see that the small index of pending deliveries will do.
    is_pending = WebhookDelivery.state == literal_column(f"'{DeliveryState.PENDING}'")
    return is_pending, WebhookDelivery.due_at <= clock()


def _wanted(
    endpoints: Sequence[WebhookEndpoint], told: Sequence[Announcement]
) -> list[tuple[WebhookEndpoint, Announcement]]:
    return [(each, news) for news in told for each in endpoints if each.kinds is None or news.kind in each.kinds]
