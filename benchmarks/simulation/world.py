"""The clock: turns fall due, replicas step, things break. Everything that happens is one event on one heap."""

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from benchmarks.simulation.arms import Arm
from benchmarks.simulation.replica import Job, SimReplica
from benchmarks.traffic import Conversation
from benchmarks.turns import Served

POLL_S = 1.0
REFUSED_S = 0.002  # until a refused connection is known
CUT_S = 0.002  # until a broken stream is


class Incident(StrEnum):
    KILL = "kill"
    BOOT = "boot"  # at the same address, with an empty cache
    DRAIN = "drain"
    STOP = "stop"  # the end of a drain: whatever still runs there is lost
    JOIN = "join"


@dataclass(frozen=True)
class Fault:
    at_s: float
    incident: Incident
    replica: int


class World:
    """One arm's run over one workload. `run` gives a row for each turn, in order of their ends."""

    def __init__(
        self, replicas: Sequence[SimReplica], arm: Arm, talks: Sequence[Conversation], faults: Iterable[Fault] = ()
    ) -> None:
        self._replicas = replicas
        self._arm = arm
        self._talks = talks
        self._order = itertools.count()
        self._events: list[tuple] = []
        self._rows: list[Served] = []
        self._running: dict[Job, _Course] = {}
        self._known = [replica.version for replica in replicas]  # whose moment is on the heap
        self._last: dict[int, int] = {}
        self._left = sum(len(talk.due_s) for talk in talks)
        for talk in talks:
            if talk.due_s:
                self._at(talk.due_s[0], self._due, talk, 0)
        for fault in faults:
            self._at(fault.at_s, self._happens, fault)
        self._at(POLL_S, self._poll)

    def run(self) -> list[Served]:
        while self._left and self._events:
            now, _, what, arguments = heapq.heappop(self._events)
            what(now, *arguments)
        return self._rows

    def _at(self, when: float, what: object, *arguments: object) -> None:
        heapq.heappush(self._events, (when, next(self._order), what, arguments))

    def _poll(self, now: float) -> None:
        self._arm.poll(now)
        self._at(now + POLL_S, self._poll)

    def _due(self, now: float, talk: Conversation, index: int) -> None:
        job = Job(talk, index)
        self._running[job] = _Course(now)
        self._send(now, job)

    def _send(self, now: float, job: Job) -> None:
        course = self._running[job]
        number = self._arm.choose(job, now) if course.attempts < self._arm.attempts else None
        if number is None:
            self._end(now, job, failed=True)
            return
        course.attempts += 1
        course.replica = number
        replica = self._replicas[number]
        self._arm.sent(job, number, now)
        if not replica.alive:
            self._at(now + REFUSED_S, self._broken, job, number)
            return
        self._at(now + replica.front_s(job), self._arrive, job, replica, replica.boot)

    def _arrive(self, now: float, job: Job, replica: SimReplica, boot: int) -> None:
        if not replica.alive or replica.boot != boot:
            self._broken(now, job, replica.id)
            return
        replica.submit(job, now)
        self._wake(replica)

    def _wake(self, changed: SimReplica) -> None:
        """Put the next moments of the replica and those beside it on the heap where they have changed."""
        for replica in (changed, *changed.beside):
            if replica.version != self._known[replica.id]:
                self._known[replica.id] = replica.version
                if replica.wake is not None:
                    self._at(replica.wake, self._step, replica, replica.version)

    def _step(self, now: float, replica: SimReplica, version: int) -> None:
        if version != replica.version:
            return
        first, done = replica.advance(now)
        for what, jobs in ((self._first, first), (self._done, done)):
            for job in jobs:
                self._at(now + replica.back_s(), what, job, replica.id, self._running[job].attempts)
        self._wake(replica)

    def _first(self, now: float, job: Job, number: int, attempt: int) -> None:
        course = self._running.get(job)
        if course is None or course.attempts != attempt:
            return  # it broke on its way
        if course.first_s is None:
            course.first_s = now
        self._arm.first_token(job, number, now)

    def _done(self, now: float, job: Job, number: int, attempt: int) -> None:
        course = self._running[job]
        if course.first_s is None:
            self._first(now, job, number, attempt)
        self._arm.ended(job, number, now, ok=True)
        self._end(now, job, failed=False)

    def _broken(self, now: float, job: Job, number: int) -> None:
        """An attempt has failed: another one, unless the customer has already seen what cannot be taken back."""
        self._arm.ended(job, number, now, ok=False)
        course = self._running[job]
        job.tried |= {number}
        if course.first_s is not None and not self._arm.replays:
            self._end(now, job, failed=True)
        else:
            self._at(now + self._arm.backoff_s * course.attempts, self._send, job)

    def _end(self, now: float, job: Job, failed: bool) -> None:
        course, talk, index = self._running.pop(job), job.talk, job.index
        self._left -= 1
        moved = not failed and self._last.get(talk.id, course.replica) != course.replica
        if not failed:
            self._last[talk.id] = course.replica
        self._rows.append(
            Served(
                conversation=talk.id,
                index=index + 1,
                due_s=course.due_s,
                replica=f"r{course.replica}",
                ttft_ms=(course.first_s - course.due_s) * 1000 if course.first_s is not None else inf,
                total_ms=(now - course.due_s) * 1000,
                prompt_tokens=talk.prompt_tokens[index],
                cached_tokens=0 if failed else job.cached,
                failed=failed,
                moved=moved,
                reason=job.reason,
            )
        )
        if index + 1 < len(talk.due_s):
            self._at(max(now, talk.due_s[index + 1]), self._due, talk, index + 1)

    def _happens(self, now: float, fault: Fault) -> None:
        replica = self._replicas[fault.replica]
        match fault.incident:
            case Incident.KILL | Incident.STOP:
                for job in replica.crash(now):
                    self._at(now + CUT_S, self._broken, job, replica.id)
                self._wake(replica)
            case Incident.BOOT:
                replica.boot_again()
            case Incident.DRAIN:
                self._arm.drain(replica.id, now)
            case Incident.JOIN:
                self._arm.join(replica.id, now)


class _Course:
    """How a turn has fared so far."""

    __slots__ = ("attempts", "due_s", "first_s", "replica")

    def __init__(self, due_s: float) -> None:
        self.due_s = due_s
        self.attempts = 0
        self.replica = -1
        self.first_s: float | None = None
