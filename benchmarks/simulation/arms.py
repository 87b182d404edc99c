"""The arms that choose a replica for each turn, as their sources do it: what each of them may know, and no more.

Read from vllm-router 0.1.17, sglang-router 0.3.2 and LiteLLM 1.109; each arm counts only what it has sent itself.
"""

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from hashlib import blake2b

from benchmarks.simulation.replica import Job, SimReplica

_RING_POINTS = 160  # virtual nodes of a replica
_MATCH_SHARE = 0.3  # cache_aware's threshold
_GATE = (64, 1.5)  # its imbalance gate: absolute and relative


class Arm:
    """Tells where a turn goes. `attempts` before it gives up; `replays` a reply that broke after its first token.

    A replica that has failed so often in a row that the breaker opened is left out for a while, unless nobody is left.
    """

    name = "arm"
    attempts = 6
    backoff_s = 0.05
    replays = False
    breaker = (10, 60.0)  # failures in a row, seconds out

    def __init__(self, replicas: Sequence[SimReplica], members: Sequence[int], chance: random.Random) -> None:
        self.replicas = replicas
        self.members = list(members)
        self.chance = chance
        self.load = [0] * len(replicas)
        self._failures = [0] * len(replicas)
        self._out_until = [0.0] * len(replicas)

    def choose(self, job: Job, now: float) -> int | None:
        usable = self.usable(now)
        return self.pick(job, usable) if usable else None

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        raise NotImplementedError

    def usable(self, now: float) -> list[int]:
        return [number for number in self.members if self._out_until[number] <= now]

    def sent(self, job: Job, number: int, now: float) -> None:
        self.load[number] += 1

    def first_token(self, job: Job, number: int, now: float) -> None:
        """Its prefill is done."""

    def ended(self, job: Job, number: int, now: float, ok: bool) -> None:
        self.load[number] -= 1
        self._failures[number] = 0 if ok else self._failures[number] + 1
        if self._failures[number] >= self.breaker[0]:
            self._failures[number] = 0
            self._out_until[number] = now + self.breaker[1]

    def poll(self, now: float) -> None:
        """Once a second."""

    def drain(self, number: int, now: float) -> None:
        """The operator wants to stop it. The peers know no better than to take it off the list."""
        self.members.remove(number)

    def join(self, number: int, now: float) -> None:
        self.members.append(number)


class RoundRobin(Arm):
    name = "round_robin"
    _turn = 0

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        self._turn += 1
        return usable[self._turn % len(usable)]


class Random(Arm):
    name = "random"

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        return self.chance.choice(usable)


class LeastLoaded(Arm):
    name = "least_loaded"

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        return least_loaded(self.load, usable)


class LiteLLMAffinity(Arm):
    """`session_affinity`: the first turn goes anywhere, the pin holds for an hour and outlives an outage."""

    name = "litellm_session_affinity"
    attempts = 3
    breaker = (1, 5.0)

    def __init__(self, replicas: Sequence[SimReplica], members: Sequence[int], chance: random.Random) -> None:
        super().__init__(replicas, members, chance)
        self._pins: dict[int, int] = {}

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        pinned = self._pins.setdefault(job.talk.id, self.chance.choice(usable))
        return pinned if pinned in usable else self.chance.choice(usable)


class StickyLeastLoaded(Arm):
    """vllm-router: a new session goes where the fewest sessions are, ties by rendezvous; sessions last two hours."""

    name = "sticky_least_loaded"

    def __init__(self, replicas: Sequence[SimReplica], members: Sequence[int], chance: random.Random) -> None:
        super().__init__(replicas, members, chance)
        self._pins: dict[int, int] = {}
        self._sessions = [0] * len(replicas)

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        pinned = self._pins.get(job.talk.id)
        if pinned in usable:
            return pinned
        if pinned is not None:
            self._sessions[pinned] -= 1
        fewest = min(self._sessions[number] for number in usable)
        tied = [number for number in usable if self._sessions[number] == fewest]
        chosen = max(tied, key=lambda number: _hash(f"{job.talk.id}:{number}"))
        self._pins[job.talk.id] = chosen
        self._sessions[chosen] += 1
        return chosen


class ConsistentHash(Arm):
    """vllm-router: a ring with 160 points a replica; what would go to a broken one goes to the first healthy one."""

    name = "consistent_hash"

    def __init__(self, replicas: Sequence[SimReplica], members: Sequence[int], chance: random.Random) -> None:
        super().__init__(replicas, members, chance)
        self._ring: list[tuple[int, int]] = []
        self._build()

    def _build(self) -> None:
        points = ((_hash(f"{number}#{point}"), number) for number in self.members for point in range(_RING_POINTS))
        self._ring = sorted(points)

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        place = bisect(self._ring, (_hash(f"session:{job.talk.id}"), -1)) % len(self._ring)
        target = self._ring[place][1]
        return target if target in usable else usable[0]

    def drain(self, number: int, now: float) -> None:
        super().drain(number, now)
        self._build()

    def join(self, number: int, now: float) -> None:
        super().join(number, now)
        self._build()


class CacheAware(Arm):
    """vllm-router and sglang-router alike: the replica whose texts match the longest beginning, unless less than
    0.3 of the text match or the load is out of balance; then the least loaded.

    The tree of texts knows brands and conversations only here, because nothing else has a beginning in common. Its
    bound of some 30 million characters a replica is never reached.
    """

    name = "cache_aware"

    def __init__(self, replicas: Sequence[SimReplica], members: Sequence[int], chance: random.Random) -> None:
        super().__init__(replicas, members, chance)
        self._brands: dict[int, list[int]] = {}
        self._talks: dict[int, list[int]] = {}

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        chosen = self._matching(job) if self._balanced() else None
        if chosen is None:
            chosen = least_loaded(self.load, usable)
        elif chosen not in usable:
            chosen = usable[0]
        for known in (self._brands.setdefault(job.talk.brand, []), self._talks.setdefault(job.talk.id, [])):
            if chosen not in known:
                known.append(chosen)
        return chosen

    def _balanced(self) -> bool:
        loads = [self.load[number] for number in self.members]
        return not (max(loads) - min(loads) > _GATE[0] and max(loads) > _GATE[1] * min(loads))

    def _matching(self, job: Job) -> int | None:
        talk, index = job.talk, job.index
        for known, matched in ((self._talks.get(talk.id), talk.shared_tokens[index]),
                               (self._brands.get(talk.brand), talk.brand_tokens)):  # fmt: skip
            if known and matched > _MATCH_SHARE * talk.prompt_tokens[index]:
                return known[0]
        return None

    def drain(self, number: int, now: float) -> None:
        super().drain(number, now)
        for known in (*self._brands.values(), *self._talks.values()):
            if number in known:
                known.remove(number)


class TwoProcesses(Arm):
    """Two of the same arm behind a load balancer that knows nothing: neither sees what the other has sent."""

    def __init__(
        self,
        replicas: Sequence[SimReplica],
        members: Sequence[int],
        chance: random.Random,
        make: Callable[[Sequence[SimReplica], Sequence[int], random.Random], Arm],
    ) -> None:
        super().__init__(replicas, members, chance)
        self.halves = (make(replicas, members, chance), make(replicas, members, chance))
        one = self.halves[0]
        self.name, self.attempts, self.backoff_s, self.replays = one.name, one.attempts, one.backoff_s, one.replays
        self._at: dict[Job, Arm] = {}

    def choose(self, job: Job, now: float) -> int | None:
        half = self._at[job] = self.chance.choice(self.halves)
        return half.choose(job, now)

    def sent(self, job: Job, number: int, now: float) -> None:
        self._at[job].sent(job, number, now)

    def first_token(self, job: Job, number: int, now: float) -> None:
        self._at[job].first_token(job, number, now)

    def ended(self, job: Job, number: int, now: float, ok: bool) -> None:
        self._at.pop(job).ended(job, number, now, ok)

    def poll(self, now: float) -> None:
        for half in self.halves:
            half.poll(now)

    def drain(self, number: int, now: float) -> None:
        for half in self.halves:
            half.drain(number, now)

    def join(self, number: int, now: float) -> None:
        for half in self.halves:
            half.join(number, now)


def least_loaded(load: Sequence[int], usable: Sequence[int]) -> int:
    """The first of the least loaded, as the routers' `min_by_key` has it."""
    return min(usable, key=load.__getitem__)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


PEERS: tuple[type[Arm], ...] = (
    RoundRobin,
    Random,
    LeastLoaded,
    LiteLLMAffinity,
    StickyLeastLoaded,
    ConsistentHash,
    CacheAware,
)
