"""What the placement policy remembers of requests and replicas, and how it learns from how they went.

No I/O and no clock, as everything in this package: `now_s` is any clock that only goes forward.
"""

from dataclasses import dataclass, field

from backend.placement import Ahead, Candidate, Placement, Ranking, Snapshot, Used
from backend.routing.brands import BrandSets
from backend.routing.decide import Rules
from backend.routing.limit import InflightLimit
from backend.routing.mirror import CacheMirror
from backend.routing.pace import Pace
from backend.routing.prefill import PrefillModel
from backend.routing.sizes import BrandSizes


@dataclass(frozen=True)
class PolicySettings:
    """`moves_per_s` caps pins left for load; drains, failovers and cold pins are not held back.

    `eviction_weight`: what a prefill costs those whose prefixes it evicts, in parts of itself. Simulated at three times
    the cache, 1 and one replica a brand while caches are full read 6 % more from the cache, at the same tail.
    """

    rules: Rules = field(default_factory=Rules)
    least_members: int = 2
    turns_per_member: float = 4.0
    brand_fade_s: float = 30.0
    moves_per_s: float = 2.0
    moves_at_once: float = 4.0
    block_tokens: int = 32
    first_limit: float = 8.0
    least_limit: float = 2.0
    most_limit: float = 256.0
    tolerance: float = 3.0
    eviction_weight: float = 1.0


@dataclass
class Job:
    """An attempt in flight, as the policy counts it."""

    replica_id: str
    boot_id: str | None
    ahead: Ahead
    candidate: Candidate
    evict_after_s: float | None
    had_brand_s: float | None
    began_s: float
    crowd: int  # attempts on the replica, this one and those of other processes included
    decoding: int
    predicted_ms: float  # of its prefill alone
    brand_before: int  # tokens of the brand's prefix that were there before it, by our account
    own_name: str
    own_before: int
    prefill_ms: float | None = None  # measured
    first_s: float = 0.0
    ended: bool = False


@dataclass
class Seen:
    """What is remembered of a replica. `queue_ms` is the predicted sum of the prefills it was given and has not done;
    the first of them began at `head_s`."""

    limit: InflightLimit
    mirror: CacheMirror = field(default_factory=CacheMirror)
    pace: Pace = field(default_factory=Pace)
    boot_id: str | None = None
    jobs: int = 0
    elsewhere: int = 0
    prefilling: int = 0
    queue_ms: float = 0.0
    head_s: float = 0.0
    last_chosen: int = 0
    brands: dict[str, float] = field(default_factory=dict)  # brand -> when its prefix was last used here


class Memory:
    """Of one process, over all replicas."""

    def __init__(self, settings: PolicySettings | None = None) -> None:
        self.settings = settings or PolicySettings()
        self.prefill = PrefillModel()
        self.sizes = BrandSizes()
        self.brands = BrandSets(
            least=self.settings.least_members,
            per_replica=self.settings.turns_per_member,
            fade_s=self.settings.brand_fade_s,
        )
        self._seen: dict[str, Seen] = {}
        self._choices = 0
        self._moves = self.settings.moves_at_once
        self._moves_s = 0.0

    def inflight(self, replica_id: str) -> int:
        """Attempts of ours on the replica."""
        return self._seen[replica_id].jobs if replica_id in self._seen else 0

    def turn_ms(self, replica_id: str) -> float:
        """How long an attempt on the replica takes, from its place to its end, in the mean."""
        return self._of(replica_id).pace.turn_ms

    def share_of_traffic(self) -> float:
        """The part of the replicas' work that comes from this process, 0 to 1."""
        shares = [seen.mirror.ours for seen in self._seen.values()]
        return sum(shares) / len(shares) if shares else 1.0

    def limit(self, replica_id: str) -> InflightLimit:
        """How many attempts the replica takes at once."""
        return self._of(replica_id).limit

    def holds_brand(self, replica: Snapshot, brand: str, now_s: float) -> bool:
        """Whether the replica is expected to have the brand's prefix in cache."""
        seen = self._of(replica.id)
        used_s = seen.brands.get(brand)
        if used_s is None or seen.boot_id != replica.boot_id:
            return False
        after_s = seen.mirror.after_s(now_s)
        return after_s is None or now_s - used_s <= after_s or seen.mirror.is_used(_brand(brand))

    def begin(self, replica_id: str, ahead: Ahead, ranking: Ranking, now_s: float) -> Job:
        """Count a request as in flight on the replica, which need not be the first of its ranking."""
        seen = self._of(replica_id)
        plain = Candidate(replica_id, new_tokens=self.sizes.prompt_tokens(ahead))
        candidate = next((each for each in ranking.candidates if each.replica_id == replica_id), plain)
        self.choose(replica_id)
        if ranking.reason is Placement.MOVED_LOAD and ranking.order[:1] == (replica_id,):
            self._moves = self._moves_left(now_s) - 1
            self._moves_s = now_s
        decoding = seen.jobs - seen.prefilling
        predicted_ms = self.prefill.ms(candidate.new_tokens, candidate.cached_tokens, decoding, replica_id)
        if seen.prefilling == 0:
            seen.queue_ms, seen.head_s = 0.0, now_s
        seen.jobs += 1
        seen.prefilling += 1
        seen.queue_ms += predicted_ms
        self.brands.began(ahead.brand, now_s)
        # Whoever comes next finds the prefix, or waits behind this one until it does.
        had_brand = seen.brands.get(ahead.brand)
        seen.brands[ahead.brand] = now_s
        after_s = seen.mirror.after_s(now_s)
        crowd = seen.jobs + seen.elsewhere
        prefix_tokens = self.sizes.prefix_tokens(ahead)
        own_tokens = max(0, self.sizes.prompt_tokens(ahead) - prefix_tokens)
        own_name = f"conversation {ahead.key}" if ahead.key else f"turn {self._choices}"
        return Job(
            replica_id,
            seen.boot_id,
            ahead,
            candidate,
            after_s,
            had_brand,
            now_s,
            crowd,
            decoding,
            predicted_ms,
            seen.mirror.begin(_brand(ahead.brand), prefix_tokens, now_s),
            own_name,
            seen.mirror.begin(own_name, own_tokens, now_s),
        )

    def choose(self, replica_id: str) -> None:
        """The replica counts as the most recently chosen, so that a burst spreads."""
        self._choices += 1
        self._of(replica_id).last_chosen = self._choices

    def first_token(self, job: Job, now_s: float) -> None:
        """The job's prompt is computed: what it took is learned when its usage is known."""
        if job.prefill_ms is not None or job.ended:
            return
        seen = self._of(job.replica_id)
        # Prompts are computed one after the other: this one's turn came when the one before it was done.
        job.prefill_ms = (now_s - max(job.began_s, seen.head_s)) * 1000
        job.first_s = seen.head_s = now_s
        self._prefilled(seen, job)
        if seen.boot_id == job.boot_id:
            seen.brands[job.ahead.brand] = now_s

    def end(self, job: Job, now_s: float, used: Used | None) -> None:
        """The job is over; `used` is None when it failed or was stopped, which teaches nothing."""
        if job.ended:
            return
        job.ended = True
        seen = self._of(job.replica_id)
        if job.prefill_ms is None:
            self._prefilled(seen, job)
            self._without(seen, job)
        seen.jobs = max(0, seen.jobs - 1)
        self.brands.ended(job.ahead.brand, now_s)
        self._mirror(seen, job, now_s, used)
        if used is not None and job.prefill_ms is not None:
            self._learn(seen, job, job.prefill_ms, now_s, used)

    def observe(
        self,
        replica_id: str,
        boot_id: str,
        now_s: float,
        served_tokens: float,
        capacity_tokens: float,
        elsewhere: int = 0,
    ) -> None:
        """Take an engine's own counters, as of a poll; another boot starts with an empty cache.

        `served_tokens` are the prompt and completion tokens since the boot, for whomever; `capacity_tokens` is what
        the cache holds (0 where the engine does not say); `elsewhere` are the attempts of other processes there.
        """
        seen = self._of(replica_id)
        if seen.boot_id != boot_id:
            seen.boot_id, seen.mirror, seen.brands = boot_id, CacheMirror(), {}
        seen.elsewhere = elsewhere
        seen.mirror.observe(served_tokens, capacity_tokens)

    def warmed(self, replica_id: str, brand: str, now_s: float) -> None:
        """The brand's prefix has been brought to the replica."""
        self._of(replica_id).brands[brand] = now_s

    def refused(self, replica_id: str, now_s: float) -> None:
        """The replica itself said that it has no room."""
        self._of(replica_id).limit.refused(now_s)

    def forget(self, replica_id: str) -> None:
        """The replica has left the set."""
        self._seen.pop(replica_id, None)
        self.prefill.forget(replica_id)

    def _prefilled(self, seen: Seen, job: Job) -> None:
        seen.prefilling = max(0, seen.prefilling - 1)
        seen.queue_ms = max(0.0, seen.queue_ms - job.predicted_ms)

    def _without(self, seen: Seen, job: Job) -> None:
        """Nothing came of the job: the brand's prefix is where it was before."""
        if seen.brands.get(job.ahead.brand) == job.began_s:
            del seen.brands[job.ahead.brand]
            if job.had_brand_s is not None:
                seen.brands[job.ahead.brand] = job.had_brand_s

    def _learn(self, seen: Seen, job: Job, prefill_ms: float, now_s: float, used: Used) -> None:
        new_tokens = max(1, used.prompt_tokens - used.cached_tokens)
        self.prefill.learn(prefill_ms, new_tokens, used.cached_tokens, job.decoding, job.replica_id)
        whole_ms = (now_s - job.began_s) * 1000
        seen.pace.learn(prefill_ms, whole_ms, (now_s - job.first_s) * 1000, used.completion_tokens)
        alone_ms = self.prefill.ms(new_tokens, used.cached_tokens, 0, job.replica_id)
        alone_ms += used.completion_tokens * seen.pace.token_ms
        seen.limit.learn(whole_ms, alone_ms, job.crowd, now_s)
        is_first = job.ahead.pin is None and job.candidate.cached_tokens > 0
        self.sizes.learn(job.ahead, used, used.cached_tokens if is_first else None)
        self._learn_eviction(seen, job, used)

    def _mirror(self, seen: Seen, job: Job, now_s: float, used: Used | None) -> None:
        if seen.boot_id != job.boot_id:
            return
        brand, own = _brand(job.ahead.brand), job.own_name
        if used is None:
            computed = job.prefill_ms is not None
            seen.mirror.end(own, now_s, None if computed else job.own_before)
            seen.mirror.end(brand, now_s, None if computed else job.brand_before)
            return
        prefix = self.sizes.prefix_tokens(job.ahead)
        held = used.prompt_tokens + used.completion_tokens
        seen.mirror.served(held)
        seen.mirror.end(own, now_s, max(0, held - prefix))
        seen.mirror.end(brand, now_s, prefix)
        if job.ahead.brand in seen.brands:
            seen.brands[job.ahead.brand] = now_s

    def _learn_eviction(self, seen: Seen, job: Job, used: Used) -> None:
        pin, expected = job.ahead.pin, job.candidate.cached_tokens
        if pin is None or pin.replica_id != job.replica_id or expected <= job.ahead.brand_tokens:
            return
        if seen.boot_id != job.boot_id:
            return
        if used.cached_tokens < expected / 2:
            if job.evict_after_s is not None:
                seen.mirror.missed()
        elif job.evict_after_s is not None and pin.idle_s > 0.7 * job.evict_after_s:
            seen.mirror.held()

    def _moves_left(self, now_s: float) -> float:
        grown = self._moves + max(0.0, now_s - self._moves_s) * self.settings.moves_per_s
        return min(self.settings.moves_at_once, grown)

    def _of(self, replica_id: str) -> Seen:
        seen = self._seen.get(replica_id)
        if seen is None:
            given = self.settings
            limit = InflightLimit(given.first_limit, given.least_limit, given.most_limit, given.tolerance)
            seen = self._seen[replica_id] = Seen(limit)
        return seen


def _brand(name: str) -> str:
    return f"brand {name}"
