"""The replica set: who is there, in what state, with how much to do.

Each replica is watched by its own task:

    starting -> warming -> ready          alive, then `on_boot` has warmed it
    ready    -> suspect -> ready          a poll or an attempt failed; it returns by a proof of life, after a pause
    suspect  -> down -> suspect           no answer several times in a row
    any      -> warming                   another boot: what was cached is gone
    ready    -> draining                  by the operator, until its next boot or until that is taken back
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from types import TracebackType
from typing import Self

import structlog

from backend.admission import Admission
from backend.errors import NotReady, Outcome, UnknownReplica
from backend.member import Member, Replica
from backend.placement import Ahead, Placement, Ranking, ReplicaState, Snapshot
from backend.priority import Priority
from backend.probe import Probe, ProbeFailed
from backend.routing import Policy
from backend.ticket import Ticket

log = structlog.get_logger(__name__)

_ALIVE = (ReplicaState.READY, ReplicaState.DRAINING)
_DOWN_AFTER = 3  # polls without an answer
_LONGEST_PAUSE_S = 5.0
_LONGEST_EJECTION_S = 30.0

OnBoot = Callable[[Replica], Awaitable[None]]


class Replicas:
    """Replicas `r0`, `r1`, ... in the order of `urls`. `on_boot` may be set after the making, before the start."""

    def __init__(
        self,
        urls: Sequence[str],
        on_boot: OnBoot | None = None,
        interval_s: float = 1.0,
        probe: Probe | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.on_boot = on_boot
        self.policy = policy or Policy()
        self.admission = Admission(self.policy, self.snapshot)
        self._interval_s = interval_s
        self._probe = probe or Probe()
        self._members: dict[str, Member] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._names = itertools.count()
        self._changed = asyncio.Event()
        self._running = False
        for url in urls:
            self.add(url)

    async def start(self) -> None:
        self._running = True
        for member in self._members.values():
            self._watch(member)

    async def close(self) -> None:
        self._running = False
        await _cancelled(self._watchers.values())
        self._watchers.clear()
        await self._probe.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def add(self, url: str, replica_id: str | None = None) -> Replica:
        """Take a replica into the set; it serves once it is warm."""
        replica = Replica(replica_id or f"r{next(self._names)}", url.rstrip("/"))
        member = self._members[replica.id] = Member(replica)
        if self._running:
            self._watch(member)
        return replica

    async def remove(self, replica_id: str) -> None:
        """Let go of a replica; attempts in flight there go on. Raises UnknownReplica."""
        self._member(replica_id)
        del self._members[replica_id]
        self.policy.forget(replica_id)
        if watcher := self._watchers.pop(replica_id, None):
            await _cancelled([watcher])

    def snapshot(self) -> list[Snapshot]:
        now_s = time.monotonic()
        return [self.policy.view(member.snapshot, now_s) for member in self._members.values()]

    def view(self, replica_id: str) -> Snapshot:
        """One of them. Raises UnknownReplica."""
        return self.policy.view(self._member(replica_id).snapshot, time.monotonic())

    def served(self) -> Mapping[str, tuple[str, str]]:
        """id -> (HTTP root, served model's name), for the replicas that have been seen alive."""
        return {key: (m.replica.url, m.model) for key, m in self._members.items() if m.model is not None}

    def choose(self, ahead: Ahead, exclude: Set[str] = frozenset()) -> Ranking:
        """The policy's ranking over the set as it is now; its first counts as chosen, so that a burst spreads."""
        ranking = self.policy.rank(ahead, self.snapshot(), time.monotonic(), exclude)
        if ranking.order:
            self.policy.choose(ranking.order[0])
        return ranking

    async def admit(
        self,
        ahead: Ahead,
        exclude: Set[str] = frozenset(),
        priority: Priority = Priority.CUSTOMER,
        *,
        patient: bool = False,
    ) -> Ticket:
        """A place on the replica that suits best, as soon as it has room; to be closed by the caller.

        Raises NotReady when no replica can serve, and QueueFull when the wait would be too long, unless `patient`.
        """
        return await self.admission.admit(ahead, exclude, priority, patient=patient)

    def enter(self, replica_id: str, ahead: Ahead | None = None, ranking: Ranking | None = None) -> Ticket:
        """Count an attempt as in flight until the ticket is closed; `ranking` is what chose the replica for `ahead`."""
        placed = ranking or Ranking((replica_id,), Placement.PLACED)
        return Ticket(self.policy, replica_id, ahead or Ahead(), placed, self.admission.serve)

    def report(self, replica_id: str, outcome: Outcome) -> None:
        """Learn how an attempt ended. After a failure the replica is suspect at once, longer each time."""
        member = self._members.get(replica_id)
        if outcome is Outcome.BUSY:
            self.policy.refused(replica_id, time.monotonic())
        if member is None or outcome in (Outcome.BUSY, Outcome.REFUSED):
            return
        if outcome is Outcome.OK:
            member.ejections = 0
            if member.state is ReplicaState.SUSPECT:
                self._admit(member, "spoke again")
        elif member.state in _ALIVE:
            self._eject(member)
            self._enter_state(member, ReplicaState.SUSPECT, "an attempt failed")
            member.nudge.set()

    def drain(self, replica_id: str) -> None:
        """No new conversations, pinned ones move at their next turn; until its next boot. Raises UnknownReplica."""
        member = self._member(replica_id)
        member.draining = True
        if member.state is ReplicaState.READY:
            self._admit(member, "by the operator")

    def undrain(self, replica_id: str) -> None:
        """Serve again; no effect on one that was not drained. Raises UnknownReplica."""
        member = self._member(replica_id)
        member.draining = False
        if member.state is ReplicaState.DRAINING:
            self._admit(member, "drained no more")
            self.admission.serve()

    async def wait_ready(self, timeout_s: float) -> None:
        """Until one replica is ready and each has been looked at once. Raises NotReady, which says who is missing.

        The second condition is for a server that restarts: a pin's replica should be seen before its turn is placed.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self._settled():
                    await self._changed.wait()
        except TimeoutError:
            missing = ", ".join(member.complaint for member in self._members.values()) or "the set is empty"
            raise NotReady(f"no replica became ready within {timeout_s:g} s ({missing})") from None

    def _settled(self) -> bool:
        self._changed.clear()
        members = self._members.values()
        return any(m.state is ReplicaState.READY for m in members) and all(m.visited for m in members)

    def _member(self, replica_id: str) -> Member:
        if replica_id not in self._members:
            raise UnknownReplica(replica_id)
        return self._members[replica_id]

    def _watch(self, member: Member) -> None:
        self._watchers[member.replica.id] = asyncio.create_task(self._look_after(member))

    async def _look_after(self, member: Member) -> None:
        while True:
            member.nudge.clear()
            try:
                await self._visit(member)
                member.misses, member.trouble = 0, ""
            except ProbeFailed as fault:
                self._missed(member, fault)
            except Exception as fault:  # a warm-up that raises must not end the watch
                member.misses, member.trouble = member.misses + 1, type(fault).__name__
                log.warning("replica_not_warm", replica=member.replica.id, error=member.trouble)
            member.visited = True
            self._changed.set()
            self.admission.serve()
            await self._rest(member)

    async def _rest(self, member: Member) -> None:
        pause_s = self._interval_s * 2 ** min(member.misses, 10) if member.misses else self._interval_s
        try:
            async with asyncio.timeout(min(pause_s, _LONGEST_PAUSE_S)):
                await member.nudge.wait()
        except TimeoutError:
            return

    async def _visit(self, member: Member) -> None:
        vitals = await self._probe.vitals(member.replica.url)
        if vitals.boot_id != member.boot_id and member.boot_id is not None:
            member.draining = False
        member.boot_id, member.visited = vitals.boot_id, True
        member.waiting, member.kv_usage = vitals.waiting, vitals.kv_usage
        key, now_s = member.replica.id, time.monotonic()
        member.elsewhere = max(0, vitals.running + vitals.waiting - self.policy.inflight(key))
        counted = (vitals.served_tokens, vitals.capacity_tokens, member.elsewhere)
        self.policy.observe(key, vitals.boot_id, now_s, *counted)
        if member.warm_boot != vitals.boot_id:
            await self._warm(member, vitals.boot_id)
        elif member.state not in _ALIVE:
            await self._readmit(member)

    async def _warm(self, member: Member, boot_id: str) -> None:
        self._enter_state(member, ReplicaState.WARMING, f"boot {boot_id}")
        member.model = await self._probe.served_model(member.replica.url)
        if self.on_boot is not None:
            await self.on_boot(member.replica)
        member.warm_boot, member.ejections = boot_id, 0
        self._admit(member, "warm")

    async def _readmit(self, member: Member) -> None:
        if member.model is None or time.monotonic() < member.ejected_until:
            return
        try:
            await self._probe.proof_of_life(member.replica.url, member.model)
        except ProbeFailed:
            # It answers polls, so it is not down: hung, or so full that a token takes its time.
            self._eject(member)
            self._enter_state(member, ReplicaState.SUSPECT, "does not speak")
        else:
            self._admit(member, "spoke again")

    def _eject(self, member: Member) -> None:
        pause_s = min(self._interval_s * 2**member.ejections, _LONGEST_EJECTION_S)
        member.ejections += 1
        member.ejected_until = time.monotonic() + pause_s

    def _admit(self, member: Member, reason: str) -> None:
        self._enter_state(member, ReplicaState.DRAINING if member.draining else ReplicaState.READY, reason)

    def _missed(self, member: Member, fault: ProbeFailed) -> None:
        """A refused connection is certain at once; a slow answer may be a busy machine, so it takes two."""
        member.misses, member.trouble = member.misses + 1, str(fault)
        if member.misses >= _DOWN_AFTER and member.state not in (ReplicaState.STARTING, ReplicaState.DOWN):
            self._enter_state(member, ReplicaState.DOWN, str(fault))
        elif member.state in _ALIVE and (fault.refused or member.misses > 1):
            self._enter_state(member, ReplicaState.SUSPECT, str(fault))

    def _enter_state(self, member: Member, state: ReplicaState, reason: str) -> None:
        if member.state is not state:
            log.info("replica", replica=member.replica.id, state=state, was=member.state, reason=reason)
            member.state = state
            self._changed.set()


async def _cancelled(tasks: Iterator[asyncio.Task[None]] | Sequence[asyncio.Task[None]]) -> None:
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
