"""One replica: a queue, a prefix cache, and engine steps in which all running turns share the engine.

Continuous batching without an event for each token. A step that prefills takes the waiting turns in order of arrival,
up to a budget of tokens, and gives each decoding reply its next token. Between such steps replies decode side by side
at the pace of their number, so the only moments that matter are when one of them ends or somebody arrives.

Replicas of one machine share its cores: while one computes, the others are slower, and the moments move.
"""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from math import ceil

from benchmarks.simulation.cache import BlockCache, Key
from benchmarks.simulation.cost import Cost, attended
from benchmarks.traffic import BLOCK_TOKENS, Conversation

STEP_TOKENS = 2048  # vLLM's max_num_batched_tokens
_ALMOST = 1e-9


class Job:
    """One attempt of one turn. `waited_from` is when the replica got it."""

    __slots__ = (
        "cached",
        "ends_at",
        "index",
        "left",
        "moved",
        "reason",
        "scrap",
        "talk",
        "ticket",
        "tried",
        "waited_from",
    )

    def __init__(self, talk: Conversation, index: int) -> None:
        self.talk = talk
        self.index = index
        self.waited_from = 0.0
        self.cached = 0  # tokens found in the cache
        self.left = 0  # tokens yet to prefill
        self.ends_at = 0.0  # tokens decoded by this replica for each reply, when this one is done
        self.scrap = 0  # blocks that nobody will ask for again
        self.tried: frozenset[int] = frozenset()  # replicas that have failed it
        self.moved = False
        self.reason = ""
        self.ticket: object = None  # the arm's own


class SimReplica:
    """`wake` is when its next step is over, None while it has nothing to do; `version` tells stale wakes apart."""

    __slots__ = (
        "_chance", "_context", "_decoding", "_joining", "_luck", "_order", "_since", "_slower", "_stepping", "_tokens",
        "alive", "beside", "boot", "cache", "cost", "id", "inflight", "queued_tokens", "served_tokens", "version",
        "waiting", "wake",
    )  # fmt: skip

    def __init__(self, number: int, capacity_blocks: int, cost: Cost) -> None:
        self.id = number
        self.cost = cost
        self.cache = BlockCache(capacity_blocks)
        self.alive = True
        self.boot = 1
        self.served_tokens = 0  # prompts and replies since the boot, as the engine's counters have it
        self.version = 0
        self.beside: Sequence[SimReplica] = ()  # others of the same machine
        self.wake: float | None = None
        self._slower = 1.0
        self._luck = 1.0  # of the present step or stretch
        self._chance = random.Random(number)
        self._reset()

    def _reset(self) -> None:
        self.waiting: deque[Job] = deque()
        self.inflight = 0
        self.queued_tokens = 0
        self._joining: list[Job] = []  # prefill in the present step
        self._decoding: list[tuple[float, int, Job]] = []
        self._context = 0.0  # thousands of tokens before the replies that are being written
        self._tokens = 0.0  # decoded for each reply since the boot
        self._since = 0.0  # when the present stretch of decoding began
        self._stepping = False
        self._order = 0

    def crash(self, now: float) -> list[Job]:
        """Everything in flight is lost, and so is the cache."""
        running = [*self._joining, *(job for _, _, job in self._decoding)]
        for job in running:
            self._release(job)
        lost = [*running, *self.waiting]
        self.alive = False
        self.cache.clear()
        self._wake_at(now, None)
        self._reset()
        return lost

    def boot_again(self) -> None:
        self.alive = True
        self.boot += 1
        self.served_tokens = 0

    def front_s(self, job: Job) -> float:
        """Until the engine has a request that arrives now: its server reads it, and so on."""
        return self.cost.front_s(job.talk.prompt_tokens[job.index]) * self._slower * self._crowding()

    def back_s(self) -> float:
        """Until what the engine has written is out, beyond what `front_s` counts of it while a core is free."""
        return self.cost.request_ms / 1000 * self._slower * (self._crowding() - 1)

    def _crowding(self) -> float:
        """How many times longer everything takes that is not the engine's."""
        if not self.beside or self.wake is None or any(other.wake is None for other in self.beside):
            return 1.0
        return self.cost.crowded

    def submit(self, job: Job, now: float) -> None:
        job.waited_from = now
        self.inflight += 1
        self.queued_tokens += job.talk.prompt_tokens[job.index]
        self.waiting.append(job)
        if self.wake is None:
            self._start(now)
        elif not self._stepping:
            self._cut_short(now)

    def advance(self, now: float) -> tuple[list[Job], list[Job]]:
        """The present step is over: (turns that have their first token now, turns that are done)."""
        first: list[Job] = []
        if self._stepping:
            self._tokens += 1
            first = self._joined()
        else:
            self._tokens += self._steps_since(now)
        done = self._finished()
        self._start(now)
        return first, done

    def wait_s(self, now: float) -> float:
        """Until a turn that came now would get a step of its own, if all that wait fit into the step before it."""
        ahead = max(0.0, self.wake - now) if self.wake is not None and self._stepping else 0.0
        return ahead + self.cost.prefill_ms * self._queued() / 1000 if self.waiting else ahead

    def _queued(self) -> int:
        return sum(job.talk.prompt_tokens[job.index] - self._found(job) for job in self.waiting)

    def _found(self, job: Job) -> int:
        return found_blocks(self.cache, job.talk, job.index) * BLOCK_TOKENS

    def _joined(self) -> list[Job]:
        """The turns whose prefill the step has finished start to decode; a long one goes on."""
        first, self._joining = [job for job in self._joining if not job.left], [j for j in self._joining if j.left]
        for job in first:
            self._order += 1
            job.ends_at = self._tokens + job.talk.reply_tokens[job.index] - 1
            heapq.heappush(self._decoding, (job.ends_at, self._order, job))
            self._context += job.talk.prompt_tokens[job.index] / 1000
        return first

    def _finished(self) -> list[Job]:
        done = []
        while self._decoding and self._decoding[0][0] <= self._tokens + _ALMOST:
            job = heapq.heappop(self._decoding)[2]
            self._release(job)
            self.inflight -= 1
            self._context -= job.talk.prompt_tokens[job.index] / 1000
            self.served_tokens += job.talk.prompt_tokens[job.index] + job.talk.reply_tokens[job.index]
            done.append(job)
        return done

    def _start(self, now: float) -> None:
        """Begin the next step, or the next stretch of nothing but decoding, or rest."""
        self._since = now
        if self.cost.noise:
            self._luck = self._chance.lognormvariate(0.0, self.cost.noise)
        new, work = self._take_in()
        self._stepping = new > 0
        if self._stepping:
            step_s = self.cost.prefill_step_s(new, work, len(self._decoding) + len(self._joining), self._context)
            self._wake_at(now, now + step_s * self._slower * self._luck)
        elif self._decoding:
            steps = max(1.0, ceil(self._decoding[0][0] - self._tokens - _ALMOST))
            self._wake_at(now, now + steps * self._pace())
        else:
            self._wake_at(now, None)

    def _wake_at(self, now: float, wake: float | None) -> None:
        """Set the next moment; who begins to compute or rests changes the pace of the others."""
        turned = (wake is None) is not (self.wake is None)
        self.wake = wake
        self.version += 1
        if turned:
            for other in self.beside:
                other._change_pace(now)

    def _change_pace(self, now: float) -> None:
        """What is left of the present step or stretch, and what is done of it, in the new pace."""
        busy = any(other.wake is not None for other in self.beside)
        slower = self.cost.beside if busy else 1.0
        change = slower / self._slower
        self._slower = slower
        if self.wake is not None and change != 1.0:
            self._since = now - (now - self._since) * change
            self.wake = now + (self.wake - now) * change
            self.version += 1

    def _pace(self) -> float:
        """Seconds from token to token."""
        return self.cost.decode_step_s(len(self._decoding), self._context) * self._slower * self._luck

    def _cut_short(self, now: float) -> None:
        """Somebody came while replies decode: he joins when the present token is out."""
        pace = self._pace()
        boundary = self._since + ceil((now - self._since) / pace - _ALMOST) * pace
        if self.wake is not None and boundary < self.wake - _ALMOST:
            self._wake_at(now, max(boundary, now))

    def _steps_since(self, now: float) -> float:
        return round((now - self._since) / self._pace())

    def _take_in(self) -> tuple[int, float]:
        """Fill a step's budget of tokens: what is left of long prompts, then who waits and finds room."""
        budget, new, work = STEP_TOKENS, 0, 0.0
        for job in self._joining:
            part, more = self._prefill(job, budget)
            budget, new, work = budget - part, new + part, work + more
        while self.waiting and budget > 0 and self._admit(self.waiting[0]):
            job = self.waiting.popleft()
            self._joining.append(job)
            part, more = self._prefill(job, budget)
            budget, new, work = budget - part, new + part, work + more
        return new, work

    def _prefill(self, job: Job, budget: int) -> tuple[int, float]:
        part = min(job.left, budget)
        before = job.talk.prompt_tokens[job.index] - job.left
        job.left -= part
        return part, attended(part, before)

    def _admit(self, job: Job) -> bool:
        """Find the job's prefix and take the blocks for the rest, its reply included; False while there is no room."""
        talk, index, cache = job.talk, job.index, self.cache
        brand, own = keys(talk)
        prompt = talk.prompt_tokens[index]
        found = found_blocks(cache, talk, index)
        head = min(talk.brand_tokens, prompt) // BLOCK_TOKENS
        total = ceil((prompt + talk.reply_tokens[index]) / BLOCK_TOKENS)
        if total - found > cache.room((brand, own)) and self.inflight > len(self.waiting):
            return False
        # What the conversation left here beyond the part that is still true is garbage from now on.
        whole = (prompt if index + 1 == len(talk.due_s) else talk.shared_tokens[index + 1]) // BLOCK_TOKENS
        cache.hold(brand, head)
        cache.hold(own, max(0, whole - head))
        job.scrap = total - max(whole, head)
        cache.take(job.scrap)
        job.cached = found * BLOCK_TOKENS
        job.left = prompt - job.cached
        self.queued_tokens -= prompt
        return True

    def _release(self, job: Job) -> None:
        brand, own = keys(job.talk)
        self.cache.retire(job.scrap)
        self.cache.release(own)
        self.cache.release(brand)


def keys(talk: Conversation) -> tuple[Key, Key]:
    return (talk.brand, -1), (talk.brand, talk.id)


def found_blocks(cache: BlockCache, talk: Conversation, index: int) -> int:
    """Whole blocks at the prompt's start that are cached; the last token is always computed."""
    brand, own = keys(talk)
    prompt = talk.prompt_tokens[index]
    most = (prompt - 1) // BLOCK_TOKENS
    head = min(talk.brand_tokens // BLOCK_TOKENS, most)
    found = min(cache.cached(brand), head)
    if found < head or index == 0:
        return found
    true = min(talk.shared_tokens[index] // BLOCK_TOKENS, most) - head
    return head + max(0, min(cache.cached(own), true))
