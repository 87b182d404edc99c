"""The placement policy: the decision that is made of what is remembered.

No I/O and no clock: the server and the simulator call the same object. `now_s` is any clock that only goes forward.
"""

from collections.abc import Sequence, Set
from itertools import islice

from backend.placement import Ahead, Candidate, Ranking, ReplicaState, Snapshot
from backend.routing.decide import decide, usable
from backend.routing.memory import Memory, Seen
from backend.routing.worth import Fate, Worth, worth

_SMALL_FLEET = 16  # of more replicas than that, not all are looked at
_LEAST_LOADED = 8


class Policy(Memory):
    """Ranks replicas for requests, and learns from how they went."""

    def rank(
        self, ahead: Ahead, replicas: Sequence[Snapshot], now_s: float, exclude: Set[str] = frozenset()
    ) -> Ranking:
        """Order the usable replicas for one attempt, best first; of a large fleet those that come into question.

        Changes nothing: `begin` does.
        """
        ready = [replica for replica in usable(replicas, exclude) if replica.state is ReplicaState.READY]
        scarce = any(self._of(replica.id).mirror.after_s(now_s) is not None for replica in replicas)
        members = set(self.brands.members(ahead.brand, [each.id for each in ready], now_s, scarce=scarce))
        views = [self.view(replica, now_s) for replica in self._shortlist(ahead, replicas, ready, members, now_s)]
        value = self.worth(ahead, views)
        able = usable(views, exclude)
        costs = {replica.id: self._cost(ahead, replica, value, replica.id in members, now_s) for replica in able}
        may_move = self._moves_left(now_s) >= 1
        return decide(ahead, views, costs, value, self.settings.rules, exclude=exclude, may_move=may_move)

    def worth(self, ahead: Ahead, views: Sequence[Snapshot]) -> Worth:
        """What the request's pin is worth; `views` come from `view`."""
        home = next((view for view in views if ahead.pin and view.id == ahead.pin.replica_id), None)
        return worth(ahead, home, self.settings.block_tokens)

    def view(self, replica: Snapshot, now_s: float) -> Snapshot:
        """The replica with what the policy knows of it."""
        seen = self._of(replica.id)
        # Written out, because `dataclasses.replace` takes three times as long and every request makes a few.
        return Snapshot(
            replica.id,
            replica.url,
            replica.state,
            replica.boot_id,
            inflight=seen.jobs,
            elsewhere=replica.elsewhere,
            waiting=replica.waiting,
            kv_usage=replica.kv_usage,
            last_chosen=seen.last_chosen,
            limit=seen.limit.limit,
            evict_after_s=seen.mirror.after_s(now_s),
        )

    def _shortlist(
        self, ahead: Ahead, replicas: Sequence[Snapshot], ready: Sequence[Snapshot], members: Set[str], now_s: float
    ) -> Sequence[Snapshot]:
        """Of a large fleet the pin's replica, the brand's set, and whoever has the least to do, of those that hold the
        brand's prefix and of all. One of them costs no more than any other, but for ties, among replicas of one pace.
        """
        if len(ready) <= _SMALL_FLEET:
            return replicas
        wanted = set(members)
        if ahead.pin is not None:
            wanted.add(ahead.pin.replica_id)
        # No two burdens are equal, so the replicas themselves are never compared.
        by_burden = [replica for _, replica in sorted((self._burden(each, now_s), each) for each in ready)]
        wanted.update(replica.id for replica in by_burden[:_LEAST_LOADED])
        holders = (replica for replica in by_burden if self.holds_brand(replica, ahead.brand, now_s))
        wanted.update(replica.id for replica in islice(holders, _LEAST_LOADED))
        return [replica for replica in replicas if replica.id in wanted]

    def _burden(self, replica: Snapshot, now_s: float) -> tuple[float, int, int, str]:
        """What the replica has to do before and beside another request, as `decide` compares it."""
        seen = self._of(replica.id)
        delay_ms = self._wait_ms(seen, replica, now_s) + self.prefill.empty_ms(_decoding(seen, replica), replica.id)
        return (delay_ms // self.settings.rules.tie_ms, seen.jobs + replica.elsewhere, seen.last_chosen, replica.id)

    def _cost(self, ahead: Ahead, replica: Snapshot, value: Worth, is_member: bool, now_s: float) -> Candidate:
        cached = self.sizes.prefix_tokens(ahead) if self.holds_brand(replica, ahead.brand, now_s) else 0
        cached = cached // self.settings.block_tokens * self.settings.block_tokens
        if ahead.pin is not None and replica.id == ahead.pin.replica_id and value.fate is Fate.KEPT:
            cached = max(cached, value.tokens)
        new_tokens = max(1, self.sizes.prompt_tokens(ahead) - cached)
        seen = self._of(replica.id)
        prefill_ms = self.prefill.ms(new_tokens, cached, _decoding(seen, replica), replica.id)
        wait_ms = self._wait_ms(seen, replica, now_s)
        # Where the cache is full, each block that is computed throws out one that somebody will compute again.
        evicting_ms = self.settings.eviction_weight * prefill_ms if replica.evict_after_s is not None else 0.0
        cost_ms = wait_ms + prefill_ms + evicting_ms
        return Candidate(replica.id, cost_ms, wait_ms, cached, new_tokens, is_member)

    def _wait_ms(self, seen: Seen, replica: Snapshot, now_s: float) -> float:
        """Until the replica could begin: prefills given to it, those of others that wait there, and its limit."""
        own_ms = 0.0
        if seen.prefilling:
            done_ms = min((now_s - seen.head_s) * 1000, seen.queue_ms / seen.prefilling)
            own_ms = max(0.0, seen.queue_ms - done_ms)
        wait_ms, others = own_ms, min(replica.waiting - seen.prefilling, replica.elsewhere)
        if others > 0:
            wait_ms += others * seen.pace.prefill_ms
        places = max(1.0, seen.limit.limit)
        beyond = seen.jobs + replica.elsewhere + 1 - places
        if beyond > 0:
            wait_ms += beyond * seen.pace.turn_ms / places
        return wait_ms


def _decoding(seen: Seen, replica: Snapshot) -> int:
    """Attempts whose replies are being written there."""
    return max(0, seen.jobs - seen.prefilling) + replica.elsewhere
