"""Empties a replica that the operator wants to stop.

Every process learns of it from the store. New conversations go elsewhere at once, pinned ones at their next turn;
meanwhile, one after the other, those whose prefix is still cached are brought to another replica while it is idle, and
those whose prefix is gone are let go. Once the replica has no pins and nothing in flight its process may stop.
"""

import asyncio

import structlog

from backend.placement import ReplicaState, Snapshot
from chat.ahead import pin_of
from chat.services import Services
from chat.think_time import Prepared
from sessions import Conversation, Unavailable

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
_AT_ONCE = 20


async def keep_drained(services: Services) -> None:
    """Follow the operator's wishes until cancelled."""
    asked, empty = set[str](), set[str]()
    while True:
        try:
            asked = await _follow(services, asked)
            draining = _draining(services)
            empty &= {replica.id for replica in draining}
            for replica in draining:
                if await _empty(services, replica) and replica.id not in empty:
                    empty.add(replica.id)
                    log.info("replica_empty", replica=replica.id, hint="its process may stop")
        except Unavailable:
            log.warning("store_unavailable", loop="drain")
        await asyncio.sleep(LOOK_EVERY_S)


async def _follow(services: Services, before: set[str]) -> set[str]:
    """Tell our replicas what was asked in any process, or taken back since `before`; returns who is to be empty now."""
    async with services.store.read() as repo:
        boots = await repo.drains.asked()
    found = services.replicas.snapshot()
    asked = {replica.id for replica in found if boots.get(replica.id) == replica.boot_id}
    for replica in found:
        if replica.state is ReplicaState.READY and replica.id in asked:
            services.replicas.drain(replica.id)
        elif replica.id in before - asked:
            services.replicas.undrain(replica.id)
    return asked


def _draining(services: Services) -> list[Snapshot]:
    return [each for each in services.replicas.snapshot() if each.state is ReplicaState.DRAINING]


async def _empty(services: Services, replica: Snapshot) -> bool:
    """Move or let go some of the replica's conversations; True when none is left and nothing is in flight."""
    async with services.store.read() as repo:
        pinned = await repo.conversations.pinned_to(replica.id, limit=_AT_ONCE)
    if not pinned:
        return replica.load == 0
    if not any(each.state is ReplicaState.READY for each in services.replicas.snapshot()):
        return False
    for conversation in pinned:
        if _is_worthless(services, conversation, replica):
            async with services.store.begin() as repo:
                await repo.conversations.set_pin(conversation.id, None, conversation.pin_version)
        elif await services.think_time.prepare(conversation.id) is Prepared.BUSY:
            break
    return False


def _is_worthless(services: Services, conversation: Conversation, replica: Snapshot) -> bool:
    """Whether the replica has nothing of the conversation any more."""
    pin = pin_of(conversation.pin)
    if pin is None or pin.boot_id != replica.boot_id:
        return True
    return replica.evict_after_s is not None and pin.idle_s > replica.evict_after_s
