"""`repo.webhooks`: the endpoints of programs, and the log of what was delivered to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, false, or_, select, true, update

from sessions.columns import clock, now
from sessions.errors import Conflict, NotFound
from sessions.identifiers import ENDPOINT, new_id
from sessions.models import WebhookDelivery, WebhookEndpoint
from sessions.principal import Customer, Principal, Scope, Staff
from sessions.repository.part import Part
from sessions.vocabulary import DeliveryState, WebhookKind

_CHANGEABLE = frozenset({"secrets", "kinds", "masked", "disabled"})


@dataclass(frozen=True)
class Logged:
    """A delivery and where it goes."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint


class Webhooks(Part):
    """Endpoints are an administrator's matter; the log is read by operators, each for their own sites."""

    async def add(
        self, site_key: str, url: str, secret: str, *, kinds: Sequence[WebhookKind] | None = None, masked: bool = True
    ) -> WebhookEndpoint:
        """A new endpoint of a site. `kinds` None means all."""
        listed = None if kinds is None else list(kinds)
        endpoint = WebhookEndpoint(
            id=new_id(ENDPOINT), site_key=site_key, url=url, secrets=[secret], kinds=listed, masked=masked
        )
        self.session.add(endpoint)
        return endpoint

    async def endpoints(self) -> Sequence[WebhookEndpoint]:
        """Every endpoint, by site and age."""
        by_age = select(WebhookEndpoint).order_by(WebhookEndpoint.site_key, WebhookEndpoint.created_at)
        return (await self.session.scalars(by_age)).all()

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """Raises NotFound."""
        endpoint = await self.session.get(WebhookEndpoint, endpoint_id)
        if endpoint is None:
            raise NotFound(f"There is no webhook endpoint {endpoint_id!r}.")
        return endpoint

    async def update(self, endpoint_id: str, **changes: Any) -> WebhookEndpoint:
        """Set fields of an endpoint. Raises NotFound, and TypeError for a field that cannot be changed."""
        if unknown := changes.keys() - _CHANGEABLE:
            raise TypeError(f"not a changeable field of an endpoint: {', '.join(sorted(unknown))}")
        endpoint = await self.get(endpoint_id)
        for name, value in changes.items():
            setattr(endpoint, name, value)
        return endpoint

    async def disable(self, endpoint_id: str, reason: str) -> None:
        """Send nothing more to an endpoint, also nothing that is due; no effect on one that is gone."""
        endpoint = await self.session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
        if endpoint is None:
            return
        endpoint.disabled = reason
        pending = (WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.PENDING)
        await self.session.execute(
            update(WebhookDelivery)
            .where(*pending)
            .values(state=DeliveryState.DEAD, error="endpoint disabled", finished_at=now())
            .execution_options(synchronize_session=False)
        )

    async def remove(self, endpoint_id: str) -> None:
        """Remove an endpoint with its deliveries. Raises NotFound."""
        await self.get(endpoint_id)
        await self.session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))

    async def deliveries(
        self,
        principal: Principal,
        *,
        endpoint_id: str | None = None,
        state: DeliveryState | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Sequence[Logged]:
        """The log, newest first. `after` is the id of the last delivery that was read. Raises NotFound for it."""
        wanted = (
            select(WebhookDelivery, WebhookEndpoint)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(_visible_to(principal))
            .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
            .limit(limit)
        )
        if endpoint_id is not None:
            wanted = wanted.where(WebhookDelivery.endpoint_id == endpoint_id)
        if state is not None:
            wanted = wanted.where(WebhookDelivery.state == state)
        if after is not None:
            last = (await self.delivery(principal, after)).delivery
            older = WebhookDelivery.created_at < last.created_at
            as_old = and_(WebhookDelivery.created_at == last.created_at, WebhookDelivery.id < last.id)
            wanted = wanted.where(or_(older, as_old))
        return [Logged(*row) for row in await self.session.execute(wanted)]

    async def delivery(self, principal: Principal, delivery_id: str) -> Logged:
        """Raises NotFound."""
        found = await self.session.execute(
            select(WebhookDelivery, WebhookEndpoint)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(WebhookDelivery.id == delivery_id, _visible_to(principal))
            .execution_options(populate_existing=True)
        )
        row = found.first()
        if row is None:
            raise NotFound(f"There is no webhook delivery {delivery_id!r}.")
        return Logged(*row)

    async def redeliver(self, principal: Principal, delivery_id: str) -> Logged:
        """Send it again, at once and under its own id, whatever became of it.

        The outcome of a try that is under way no longer counts. Raises NotFound, Conflict `endpoint_disabled`.
        """
        found = await self.delivery(principal, delivery_id)
        if found.endpoint.disabled is not None:
            raise Conflict("endpoint_disabled", f"The endpoint is disabled: {found.endpoint.disabled}.")
        delivery = found.delivery
        delivery.state, delivery.due_at, delivery.finished_at = DeliveryState.PENDING, clock(), None
        delivery.attempt, delivery.tries = delivery.attempt + 1, 0
        await self.session.flush()
        await self.session.refresh(delivery)
        return found

    async def expire(self, older_than: datetime) -> None:
        """Forget deliveries from before `older_than` that have ended."""
        ended = (WebhookDelivery.created_at < older_than, WebhookDelivery.state != DeliveryState.PENDING)
        await self.session.execute(delete(WebhookDelivery).where(*ended))


def _visible_to(principal: Principal) -> ColumnElement[bool]:
    match principal:
        case Customer():
            return false()
        case Staff(scopes=scopes, sites=sites):
            if Scope.OPERATOR not in scopes:
                return false()
            return true() if sites is None else WebhookEndpoint.site_key.in_(sites)
    return true()
