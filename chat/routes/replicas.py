"""The replicas, for the operator."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chat.auth import Operator
from chat.errors import Missing
from chat.schemas.page import Page
from chat.schemas.replica import ReplicaOut
from chat.schemas.request import Nothing
from chat.services import Services, services_of

router = APIRouter(prefix="/replicas", tags=["replicas"])
With = Annotated[Services, Depends(services_of)]


@router.get("")
async def replicas(operator: Operator, services: With) -> Page[ReplicaOut]:
    """Every replica with its state and the conversations pinned to it."""
    return Page(data=await _seen(services))


@router.post("/{replica_id}/drain")
async def drain(replica_id: str, operator: Operator, services: With, body: Nothing | None = None) -> ReplicaOut:
    """Take no new conversations; pinned ones move at their next turn."""
    found = next((each for each in services.replicas.snapshot() if each.id == replica_id), None)
    if found is None:
        raise Missing("There is no such replica.")
    async with services.store.begin() as repo:
        await repo.drains.ask(replica_id, found.boot_id or "")
    services.replicas.drain(replica_id)
    return next(replica for replica in await _seen(services) if replica.id == replica_id)


async def _seen(services: Services) -> list[ReplicaOut]:
    async with services.store.read() as repo:
        pins = await repo.conversations.pins_by_replica()
    return [
        ReplicaOut.model_validate(
            {
                "id": snapshot.id,
                "url": snapshot.url,
                "state": snapshot.state,
                "boot_id": snapshot.boot_id,
                "pins": pins.get(snapshot.id, 0),
                "inflight": snapshot.inflight,
                "waiting": snapshot.waiting,
                "kv_usage": snapshot.kv_usage,
            }
        )
        for snapshot in services.replicas.snapshot()
    ]
