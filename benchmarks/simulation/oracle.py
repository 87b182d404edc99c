"""The limit: what no router can beat, because it knows the future and moves nothing.

All replicas read and write one cache of their joint size, from which goes what will be needed last (Belady); each turn
goes where its prefill begins soonest.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import inf

from benchmarks.simulation.arms import Arm
from benchmarks.simulation.cache import BlockCache, Key
from benchmarks.simulation.replica import Job, SimReplica
from benchmarks.traffic import Conversation


class Foresight(BlockCache):
    """Evicts the run whose next use lies furthest ahead. `dues`: when each run will be used, in order."""

    __slots__ = ("_dues", "_furthest", "_next", "_uses")

    def __init__(self, capacity: int, talks: Iterable[Conversation]) -> None:
        super().__init__(capacity)
        self._dues: dict[Key, list[float]] = defaultdict(list)
        for talk in talks:
            self._dues[talk.brand, -1].extend(talk.due_s)
            self._dues[talk.brand, talk.id] = list(talk.due_s)
        for dues in self._dues.values():
            dues.sort()
        self._uses: dict[Key, int] = defaultdict(int)
        self._next: dict[Key, float] = {}
        self._furthest: list[tuple[float, Key]] = []

    def hold(self, key: Key, blocks: int) -> None:
        self._uses[key] += 1
        super().hold(key, blocks)

    def release(self, key: Key) -> None:
        super().release(key)
        if key in self._idle:
            dues, used = self._dues[key], self._uses[key]
            self._next[key] = dues[used] if used < len(dues) else inf
            heapq.heappush(self._furthest, (-self._next[key], key))

    def retire(self, blocks: int) -> None:
        self.held -= blocks

    def clear(self) -> None:
        """Who knows that a replica will break has copies elsewhere."""

    def take(self, blocks: int) -> None:
        self.held += blocks
        excess = self.held + self.idle - self.capacity
        while excess > 0 and self._furthest:
            due, key = self._furthest[0]
            if key not in self._idle or self._next[key] != -due:
                heapq.heappop(self._furthest)
                continue
            gone = min(self._idle[key], excess)
            self._idle[key] -= gone
            if not self._idle[key]:
                del self._idle[key]
            self.idle -= gone
            self.evicted += gone
            excess -= gone


class Oracle(Arm):
    name = "oracle"
    replays = True

    def __init__(self, replicas: Sequence[SimReplica], members: Sequence[int], chance: random.Random) -> None:
        super().__init__(replicas, members, chance)
        self._now = 0.0

    def choose(self, job: Job, now: float) -> int | None:
        self._now = now
        return super().choose(job, now)

    def usable(self, now: float) -> list[int]:
        return [number for number in self.members if self.replicas[number].alive]

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        return min(usable, key=lambda number: (self.replicas[number].wait_s(self._now), self.load[number]))


def pool(replicas: Sequence[SimReplica], talks: Sequence[Conversation]) -> None:
    """Let all replicas use one cache."""
    cache = Foresight(sum(replica.cache.capacity for replica in replicas), talks)
    for replica in replicas:
        replica.cache = cache
