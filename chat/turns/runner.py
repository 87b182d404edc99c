"""Which turns this process answers: claims them, keeps their leases, stops them.

A turn belongs to the server, not to the client's connection. It is claimed in the database with a lease; while it
runs, one keeper renews the leases of all turns of the process. A turn whose lease was lost is abandoned: whoever
claimed it holds the higher attempt number, and the store refuses every later write of ours.
"""

import asyncio
from contextlib import suppress
from uuid import uuid4

import structlog

from chat.services import Services
from chat.turns.answering import Answering
from chat.turns.flusher import Flusher
from sessions import Claim, LostLease, Unavailable

log = structlog.get_logger(__name__)

IDLE_POLL_S = 1.0
"""How long a process without work waits before it looks for turns of dead owners."""

AT_THE_DESK = 2
"""Claimed turns beyond the replicas' places: those that are just being read from the store or committed."""


class TurnRunner:
    """The background part of a `web` process. `at_once` bounds the turns that it answers at the same time.

    No more turns are claimed than the replicas take: the others wait in the database, in their order, for whichever
    process has room first.
    """

    def __init__(self, services: Services, *, at_once: int = 256) -> None:
        self.services = services
        self.owner = f"web-{uuid4().hex[:12]}"
        self.flusher = Flusher(services.store, services.settings.flush_interval, on_fenced=self._abandon)
        self._free = asyncio.Semaphore(at_once)
        self._running: dict[str, Answering] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to claim turns."""
        loops = (self._claim_turns, self._keep_leases, self.flusher.run)
        self._loops = [asyncio.create_task(loop(), name=loop.__name__) for loop in loops]

    async def stop(self, grace_s: float = 10.0) -> None:
        """Claim nothing more, let running turns end for `grace_s`, then hand the rest to whoever is alive."""
        claiming, *rest = self._loops
        await _cancelled([claiming])
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=grace_s)
        await _cancelled([*self._tasks.values(), *rest])

    def stop_turn(self, turn_id: str) -> None:
        """End a turn that runs here at once; elsewhere its owner sees the request at the next renewal."""
        if answering := self._running.get(turn_id):
            answering.stop_requested = True
            self._tasks[turn_id].cancel()

    @property
    def running(self) -> int:
        """Turns that this process is answering."""
        return len(self._running)

    async def _claim_turns(self) -> None:
        while True:
            await self._free.acquire()
            while not self._has_room():
                await self.services.replicas.admission.wait_for_change(IDLE_POLL_S)
            if claim := await self._next_claim():
                self._begin(claim)
                continue
            self._free.release()
            await self.services.store.feed.wait_for_work(IDLE_POLL_S)

    def _has_room(self) -> bool:
        places = self.services.replicas.admission.places()
        return places is None or len(self._running) < places + AT_THE_DESK

    async def _next_claim(self) -> Claim | None:
        try:
            async with self.services.store.begin() as repo:
                return await repo.turns.claim(self.owner, self.services.settings.lease.total_seconds())
        except Unavailable:
            log.warning("store_unavailable", loop="claim")
            return None

    def _begin(self, claim: Claim) -> None:
        answering = Answering(self.services, self.flusher, claim)
        self._running[claim.turn_id] = answering
        self.services.telemetry.metrics.turns_running.set(len(self._running))
        task = asyncio.create_task(self._answer(answering), name=f"turn {claim.turn_id}")
        self._tasks[claim.turn_id] = task
        task.add_done_callback(lambda _: self._end(claim.turn_id))

    def _end(self, turn_id: str) -> None:
        del self._running[turn_id], self._tasks[turn_id]
        self.services.telemetry.metrics.turns_running.set(len(self._running))
        self._free.release()

    async def _answer(self, answering: Answering) -> None:
        """The edge of a turn's task: whatever happens, the turn ends or goes back to the queue."""
        turn_id = answering.claim.turn_id
        structlog.contextvars.bind_contextvars(trace_id=answering.trace_id)
        try:
            await answering.run()
        except LostLease:
            log.info("turn_lost", turn_id=turn_id, attempt=answering.claim.attempt)
        except Unavailable:
            log.warning("store_unavailable", turn_id=turn_id)
        except asyncio.CancelledError:
            with suppress(LostLease, Unavailable):
                await asyncio.shield(answering.interrupted())
            raise
        except Exception:
            log.exception("turn_crashed", turn_id=turn_id)
            with suppress(LostLease, Unavailable):
                await answering.failed("internal_error")
        finally:
            answering.end()

    async def _keep_leases(self) -> None:
        lease_s = self.services.settings.lease.total_seconds()
        while True:
            await asyncio.sleep(min(1.0, lease_s / 4))
            if not self._running:
                continue
            try:
                async with self.services.store.begin() as repo:
                    kept = await repo.turns.renew_all(self.owner, lease_s)
            except Unavailable:
                log.warning("store_unavailable", loop="leases")
                continue
            self._obey(kept)

    def _obey(self, kept: dict[str, bool]) -> None:
        """`kept` says of each turn that is still ours whether its customer asked to stop it."""
        for turn_id in list(self._running):
            if turn_id not in kept:
                self._abandon(turn_id)
            elif kept[turn_id]:
                self.stop_turn(turn_id)

    def _abandon(self, turn_id: str) -> None:
        if answering := self._running.get(turn_id):
            answering.lost = True
            self._tasks[turn_id].cancel()


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
