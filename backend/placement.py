"""The words of placement: what is known of a replica, of a pin and of a request, and what was decided.

A pin binds a conversation to a replica and to that replica's boot: what the engine cached is gone after a restart.
The decision itself is in `backend.routing`.
"""

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
    COLD = "cold"  # the pin is worth nothing any more (`routing.worth`), so its conversation was placed anew
    MOVED_LOAD = "moved_load"  # waiting at the pin's replica would have cost more than computing the prefix again
    MOVED_DRAIN = "moved_drain"
    FAILOVER = "failover"  # the pin's replica is out of order or has just failed this turn
    BRAND_SPILL = "brand_spill"  # every replica of the brand's set had more to do than the brand's prefix costs


@dataclass(frozen=True)
class Pin:
    """`held_tokens` is what the replica held of the conversation after its last turn, `idle_s` how long ago that was.

    `brand` is the prefix that it began with then, `misses` the turns in a row of which far less was cached than
    expected although nothing had moved. `moved` says that the pin was moved between turns, and why.
    """

    replica_id: str
    boot_id: str
    held_tokens: int = 0
    brand: str | None = None
    misses: int = 0
    idle_s: float = 0.0
    moved: Placement | None = None


@dataclass(frozen=True)
class Ahead:
    """A request before it is placed; lengths are estimates.

    `key` names the conversation (empty: it will not come again), `brand` the prefix that all conversations of a site's
    pack begin with; `brand_tokens` is that prefix's length. `continues` is False when the prompt does not begin with
    what the engine saw last (the history was folded), `released` True when the conversation was with a person, so that
    nobody counts on the pin.
    """

    brand: str = ""
    brand_tokens: int = 0
    prompt_tokens: int = 0
    pin: Pin | None = None
    continues: bool = True
    released: bool = False
    key: str = ""


@dataclass(frozen=True)
class Used:
    """What the engine reported of an attempt."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Snapshot:
    """A replica at one moment.

    `inflight` counts this process's attempts; `elsewhere` those of other processes, as of the last poll; `waiting`
    and `kv_usage` (0..1) are the engine's own. `last_chosen` is a counter, larger is more recent. `limit` is how many
    attempts it takes at once. A prefix unused for `evict_after_s` is gone (None: nothing was evicted yet).
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
    limit: float = float("inf")
    evict_after_s: float | None = None

    @property
    def load(self) -> int:
        return self.inflight + self.elsewhere

    @property
    def has_room(self) -> bool:
        return self.load < max(1.0, self.limit)


@dataclass(frozen=True)
class Candidate:
    """What a request would cost on one replica: `cost_ms` is `wait_ms`, the prefill of `new_tokens`,
    and what that evicts where the cache is full."""

    replica_id: str
    cost_ms: float = 0.0
    wait_ms: float = 0.0
    cached_tokens: int = 0
    new_tokens: int = 0
    is_member: bool = True


@dataclass(frozen=True)
class Ranking:
    """Replica ids, best first; empty when none can serve. `candidates` are in the same order."""

    order: tuple[str, ...]
    reason: Placement
    candidates: tuple[Candidate, ...] = ()

    @property
    def predicted_cached_tokens(self) -> int:
        """Of the prompt, the tokens that are expected in the cache of the first."""
        return self.candidates[0].cached_tokens if self.candidates else 0
