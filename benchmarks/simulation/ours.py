"""Our arm: the policy objects of the server, told what the server would tell them."""

import random
from collections.abc import Sequence
from dataclasses import replace

from backend.placement import Ahead, Pin, Placement, ReplicaState, Snapshot, Used
from backend.routing import Policy, PolicySettings
from benchmarks.simulation.arms import Arm
from benchmarks.simulation.replica import Job, SimReplica
from benchmarks.traffic import BLOCK_TOKENS

_ESTIMATED = 1.33  # tokens for each that the starter model counts in the texts of `benchmarks.live.script`

Pins = dict[int, tuple[Pin, float]]  # by conversation: the pin, and when its last turn ended


class Ours(Arm):
    """States as the server's watch has them: a failed attempt makes a replica suspect, a poll finds out about it.

    Pins live in the store: two processes have them in common (`pins`), nothing else. A conversation's site is known
    to the server; the lengths of its brand's prefix and of its prompt are estimated as `chat.inference` does it.
    """

    name = "ours"
    replays = True
    backoff_s = 0.0

    def __init__(
        self,
        replicas: Sequence[SimReplica],
        members: Sequence[int],
        chance: random.Random,
        settings: PolicySettings | None = None,
        pins: Pins | None = None,
    ) -> None:
        super().__init__(replicas, members, chance)
        self.attempts = len(replicas) + 1
        self.policy = Policy(settings or PolicySettings())
        self._pins = pins if pins is not None else {}
        self._snapshots = {number: self._seen(number, ReplicaState.READY) for number in members}
        self.poll(0.0)

    def choose(self, job: Job, now: float) -> int | None:
        ahead = self._ahead(job, now)
        exclude = frozenset(_name(number) for number in job.tried)
        ranking = self.policy.rank(ahead, list(self._snapshots.values()), now, exclude=exclude)
        if not ranking.order:
            return None
        job.reason = ranking.reason
        job.ticket = self.policy.begin(ranking.order[0], ahead, ranking, now)
        return int(ranking.order[0][1:])

    def first_token(self, job: Job, number: int, now: float) -> None:
        self.policy.first_token(job.ticket, now)

    def ended(self, job: Job, number: int, now: float, ok: bool) -> None:
        self.load[number] -= 1
        if not ok:
            self.policy.end(job.ticket, now, None)
            if number in self._snapshots and self._snapshots[number].state is not ReplicaState.DOWN:
                self._enter(number, ReplicaState.SUSPECT)
            return
        talk, index = job.talk, job.index
        prompt, reply = talk.prompt_tokens[index], talk.reply_tokens[index]
        self.policy.end(job.ticket, now, Used(prompt, job.cached, reply))
        # As the server reckons, which does not know whether the next prompt goes on with what the engine wrote.
        pin = Pin(_name(number), _boot(self.replicas[number]), prompt + reply, str(talk.brand), self._misses(job))
        self._pins[talk.id] = (pin, now)

    def poll(self, now: float) -> None:
        for number, snapshot in list(self._snapshots.items()):
            replica = self.replicas[number]
            if not replica.alive:
                self._enter(number, ReplicaState.DOWN)
                continue
            capacity = replica.cache.capacity * BLOCK_TOKENS
            self.policy.observe(_name(number), _boot(replica), now, replica.served_tokens, capacity)
            state = snapshot.state if snapshot.state is ReplicaState.DRAINING else ReplicaState.READY
            self._snapshots[number] = replace(
                self._seen(number, state),
                elsewhere=max(0, replica.inflight - self.load[number]),
                waiting=len(replica.waiting),
                kv_usage=replica.cache.held / replica.cache.capacity,
            )

    def drain(self, number: int, now: float) -> None:
        self._enter(number, ReplicaState.DRAINING)

    def join(self, number: int, now: float) -> None:
        self._snapshots[number] = self._seen(number, ReplicaState.READY)
        self.poll(now)

    def _ahead(self, job: Job, now: float) -> Ahead:
        talk, index = job.talk, job.index
        pin, ended_s = self._pins.get(talk.id, (None, 0.0))
        pin = replace(pin, idle_s=now - ended_s) if pin else None
        brand_tokens, prompt_tokens = (round(_ESTIMATED * n) for n in (talk.brand_tokens, talk.prompt_tokens[index]))
        return Ahead(str(talk.brand), brand_tokens, prompt_tokens, pin, key=str(talk.id))

    def _misses(self, job: Job) -> int:
        pin, expected = job.ticket.ahead.pin, job.ticket.candidate.cached_tokens
        missed = pin is not None and job.reason == Placement.PINNED and 2 * job.cached < expected
        return pin.misses + 1 if missed else 0

    def _seen(self, number: int, state: ReplicaState) -> Snapshot:
        return Snapshot(_name(number), "", state, _boot(self.replicas[number]))

    def _enter(self, number: int, state: ReplicaState) -> None:
        self._snapshots[number] = replace(self._snapshots[number], state=state)


def _name(number: int) -> str:
    return f"r{number}"


def _boot(replica: SimReplica) -> str:
    return str(replica.boot)
