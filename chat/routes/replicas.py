"""The replicas, for the operator."""

from typing import Annotated

from fastapi import APIRouter, Depends

from backend.placement import Snapshot
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
    found = _found(services, replica_id)
    async with services.store.begin() as repo:
        await repo.drains.ask(replica_id, found.boot_id or "")
        await repo.audit.write(operator.name, "replica.drained", about=replica_id)
    services.replicas.drain(replica_id)
    return await _one(services, replica_id)


@router.delete("/{replica_id}/drain")
async def undrain(replica_id: str, operator: Operator, services: With) -> ReplicaOut:
    """Take conversations again; those that have moved stay where they are. No effect where nothing was drained."""
    _found(services, replica_id)
    async with services.store.begin() as repo:
        await repo.drains.withdraw(replica_id)
        await repo.audit.write(operator.name, "replica.undrained", about=replica_id)
    services.replicas.undrain(replica_id)
    return await _one(services, replica_id)


def _found(services: Services, replica_id: str) -> Snapshot:
    found = next((each for each in services.replicas.snapshot() if each.id == replica_id), None)
    if found is None:
        raise Missing("There is no such replica.")
    return found


async def _one(services: Services, replica_id: str) -> ReplicaOut:
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
