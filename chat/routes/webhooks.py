"""The log of deliveries to programs, for the operator."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from chat.auth import Operator
from chat.schemas.page import After, Limit, Page, page
from chat.schemas.request import KEY_PATTERN, Nothing
from chat.schemas.webhook import DeliveryOut
from chat.services import Services, services_of
from sessions import DeliveryState

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
With = Annotated[Services, Depends(services_of)]


@router.get("/deliveries")
async def deliveries(
    operator: Operator,
    services: With,
    state: DeliveryState | None = None,
    endpoint: Annotated[str | None, Query(pattern=KEY_PATTERN)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[DeliveryOut]:
    """What the operator's sites told programs, newest first."""
    async with services.store.read() as repo:
        found = await repo.webhooks.deliveries(
            operator, endpoint_id=endpoint, state=state, limit=limit + 1, after=after
        )
    return page([DeliveryOut.of(each) for each in found], limit, "id")


@router.post("/deliveries/{delivery_id}/redeliver")
async def redeliver(delivery_id: str, operator: Operator, services: With, body: Nothing | None = None) -> DeliveryOut:
    """Send it once more, under its own id."""
    async with services.store.begin() as repo:
        found = await repo.webhooks.redeliver(operator, delivery_id)
    services.store.posted.set()
    return DeliveryOut.of(found)
