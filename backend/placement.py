"""Which replica a turn goes to: a pure decision over plain data.

A pin binds a conversation to a replica and to that replica's boot: what the engine cached is gone after a restart.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum


class ReplicaState(StrEnum):
    STARTING = "starting"  # not seen alive yet
    WARMING = "warming"  # alive, prefixes not yet prefilled
    READY = "ready"
    DRAINING = "draining"  # finishes what it has, takes nothing new
    SUSPECT = "suspect"  # an attempt or a poll failed; must prove itself
    DOWN = "down"  # does not answer


class Placement(StrEnum):
    """Why a turn goes where it goes; stored with the turn, on its span and in the metrics."""

    PINNED = "pinned"
    PLACED = "placed"  # first turn: no pin yet
    COLD = "cold"  # the pin's replica has booted since, so the pin is worth nothing
    MOVED_LOAD = "moved_load"
    MOVED_DRAIN = "moved_drain"
    FAILOVER = "failover"  # the pin's replica is out of order or has just failed this turn
    BRAND_SPILL = "brand_spill"


@dataclass(frozen=True)
class Pin:
    """`cached_tokens` is what the engine reported at the pin's last turn."""

    replica_id: str
    boot_id: str
    cached_tokens: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """A replica at one moment.

    `inflight` counts this process's attempts; `elsewhere` those of other processes, as of the last poll; `waiting`
    and `kv_usage` (0..1) are the engine's own. `last_chosen` is a counter, larger is more recent.
    """

    id: str
    url: str
    state: ReplicaState
    boot_id: str | None = None
    inflight: int = 0
    elsewhere: int = 0
    waiting: int = 0
    kv_usage: float = 0.0
    last_chosen: int = 0

    @property
    def load(self) -> int:
        return self.inflight + self.elsewhere


@dataclass(frozen=True)
class Ranking:
    """Replica ids, best first; empty when none can serve."""

    order: tuple[str, ...]
    reason: Placement


# Better a replica that is about to leave, or is not warm yet, or failed lately, than no answer.
_TIERS = (ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.WARMING, ReplicaState.SUSPECT)

# A warming replica of the pin's own boot still holds the prefix: it is this server that has restarted, not the engine.
_KEEPS_PIN = (ReplicaState.READY, ReplicaState.WARMING)


def rank(pin: Pin | None, replicas: Sequence[Snapshot], exclude: Set[str] = frozenset()) -> Ranking:
    """Order the usable replicas for one attempt.

    The pin's replica comes first while it is in service on the same boot; then least load, ties to the least recently
    chosen. `exclude` holds the replicas that failed this turn: they come back only when nothing else is left.
    """
    usable = [replica for replica in replicas if replica.state in _TIERS]
    candidates = [replica for replica in usable if replica.id not in exclude] or usable
    pinned = _pinned(pin, candidates)
    order = tuple(replica.id for replica in sorted(candidates, key=lambda replica: _preference(replica, pinned)))
    return Ranking(order, _reason(pin, replicas, pinned, exclude, order))


def _pinned(pin: Pin | None, candidates: Sequence[Snapshot]) -> str | None:
    if pin is None:
        return None
    held = (replica for replica in candidates if _holds(replica, pin) and replica.state in _KEEPS_PIN)
    return next((replica.id for replica in held), None)


def _holds(replica: Snapshot, pin: Pin) -> bool:
    return replica.id == pin.replica_id and replica.boot_id == pin.boot_id


def _preference(replica: Snapshot, pinned: str | None) -> tuple[bool, int, int, int, str]:
    tier = _TIERS.index(replica.state)
    return (replica.id != pinned, tier, replica.load, replica.last_chosen, replica.id)


def _reason(
    pin: Pin | None, replicas: Sequence[Snapshot], pinned: str | None, exclude: Set[str], order: tuple[str, ...]
) -> Placement:
    if pin is None:
        return Placement.PLACED
    home = next((replica for replica in replicas if replica.id == pin.replica_id), None)
    if home is None or home.boot_id is None:
        return Placement.FAILOVER
    if home.boot_id != pin.boot_id:
        return Placement.COLD
    if home.id == pinned or order[:1] == (home.id,):
        return Placement.PINNED
    if home.state is ReplicaState.DRAINING and home.id not in exclude:
        return Placement.MOVED_DRAIN
    return Placement.FAILOVER
