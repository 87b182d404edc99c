"""Where one request goes: a pure decision over what it would cost on each replica."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from backend.placement import Ahead, Candidate, Placement, Ranking, ReplicaState, Snapshot
from backend.routing.worth import Fate, Worth

# Better a replica that is about to leave, or is not warm yet, or failed lately, than no answer.
TIERS = (ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.WARMING, ReplicaState.SUSPECT)

# A warming replica of the pin's own boot still holds the prefix: it is this server that has restarted, not the engine.
KEEPS_PIN = (ReplicaState.READY, ReplicaState.WARMING)


@dataclass(frozen=True)
class Rules:
    """When a pin is left: only for a gain beyond `margin_ms` and `margin_share` of the cost at home, and only when
    home has `band` attempts more than the other. Costs within `tie_ms` are equal. `outside_ms` and `outside_share` are
    what a replica outside the brand's set must be cheaper by."""

    margin_ms: float = 30.0
    margin_share: float = 0.25
    band: int = 2
    tie_ms: float = 5.0
    outside_ms: float = 10.0
    outside_share: float = 0.1


def usable(replicas: Sequence[Snapshot], exclude: Set[str] = frozenset()) -> list[Snapshot]:
    """Those that can be asked. Replicas that failed this turn come back only when nothing else is left."""
    able = [replica for replica in replicas if replica.state in TIERS]
    return [replica for replica in able if replica.id not in exclude] or able


def decide(
    ahead: Ahead,
    replicas: Sequence[Snapshot],
    costs: Mapping[str, Candidate],
    value: Worth,
    rules: Rules,
    *,
    exclude: Set[str] = frozenset(),
    may_move: bool = True,
) -> Ranking:
    """Order the usable replicas, best first. `costs` has one candidate for each of them, `value` is the pin's."""
    able = usable(replicas, exclude)
    fresh = sorted(able, key=lambda replica: _preference(replica, costs[replica.id], rules))
    home = _home(ahead, able, value)
    stays = home is not None and not (may_move and _is_worth_leaving(home, fresh, costs, ahead, rules))
    order = tuple(replica.id for replica in fresh)
    if home is not None and stays:
        order = (home.id, *(replica_id for replica_id in order if replica_id != home.id))
    reason = _reason(ahead, replicas, costs, value, exclude, order, home)
    return Ranking(order, reason, tuple(costs[replica_id] for replica_id in order))


def _home(ahead: Ahead, able: Sequence[Snapshot], value: Worth) -> Snapshot | None:
    """The pin's replica while the pin is worth something there."""
    if ahead.pin is None or value.fate is not Fate.KEPT:
        return None
    here = (each for each in able if each.id == ahead.pin.replica_id and each.state in KEEPS_PIN)
    return next(here, None)


def _is_worth_leaving(
    home: Snapshot, fresh: Sequence[Snapshot], costs: Mapping[str, Candidate], ahead: Ahead, rules: Rules
) -> bool:
    best = fresh[0]
    if best.id == home.id or best.state is not ReplicaState.READY:
        return False
    gain = costs[home.id].cost_ms - costs[best.id].cost_ms
    if ahead.released:
        return gain > 0
    margin = max(rules.margin_ms, rules.margin_share * costs[home.id].cost_ms)
    return gain > margin and home.load >= best.load + rules.band


def _preference(replica: Snapshot, cost: Candidate, rules: Rules) -> tuple[int, float, int, int, str]:
    # Outside the brand's set a request leaves a copy of the brand's prefix behind: it must gain more than a little.
    outside = 0.0 if cost.is_member else rules.outside_ms + rules.outside_share * cost.cost_ms
    return (
        TIERS.index(replica.state),
        (cost.cost_ms + outside) // rules.tie_ms,
        replica.load,
        replica.last_chosen,
        replica.id,
    )


def _reason(
    ahead: Ahead,
    replicas: Sequence[Snapshot],
    costs: Mapping[str, Candidate],
    value: Worth,
    exclude: Set[str],
    order: tuple[str, ...],
    home: Snapshot | None,
) -> Placement:
    first = order[:1]
    if exclude and first != (ahead.pin.replica_id if ahead.pin else "",):
        return Placement.FAILOVER
    if ahead.pin is None:
        spilled = bool(first) and not costs[first[0]].is_member
        return Placement.BRAND_SPILL if spilled else Placement.PLACED
    if value.fate is Fate.GONE:
        return Placement.FAILOVER
    if value.fate is not Fate.KEPT:
        return Placement.COLD
    if first == (ahead.pin.replica_id,):
        return ahead.pin.moved or Placement.PINNED
    if home is not None:
        return Placement.COLD if ahead.released else Placement.MOVED_LOAD
    there = next(replica for replica in replicas if replica.id == ahead.pin.replica_id)
    is_leaving = there.state is ReplicaState.DRAINING and there.id not in exclude
    return Placement.MOVED_DRAIN if is_leaving else Placement.FAILOVER
