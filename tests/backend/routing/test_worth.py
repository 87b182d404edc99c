from dataclasses import replace

import pytest

from backend.placement import Ahead, Pin, ReplicaState, Snapshot
from backend.routing.worth import Fate, Worth, worth

HOME = Snapshot("r0", "", ReplicaState.READY, "monday", evict_after_s=600)
PIN = Pin("r0", "monday", held_tokens=1000, brand="brand", idle_s=30)
AHEAD = Ahead("brand", 500, 1100, PIN)


def test_a_pin_is_worth_whole_blocks_of_what_its_replica_held() -> None:
    assert worth(AHEAD, HOME) == Worth(Fate.KEPT, 992)
    assert worth(AHEAD, HOME, block_tokens=128) == Worth(Fate.KEPT, 896)


@pytest.mark.parametrize(
    ("ahead", "home", "fate"),
    [
        (replace(AHEAD, pin=None), HOME, Fate.NONE),
        (AHEAD, None, Fate.GONE),
        (AHEAD, replace(HOME, boot_id=None), Fate.GONE),
        (AHEAD, replace(HOME, boot_id="tuesday"), Fate.BOOTED),
        (replace(AHEAD, brand="next version"), HOME, Fate.REBRANDED),
        (replace(AHEAD, continues=False), HOME, Fate.FOLDED),
        (replace(AHEAD, pin=replace(PIN, misses=2)), HOME, Fate.MISSED),
        (replace(AHEAD, pin=replace(PIN, idle_s=601)), HOME, Fate.EVICTED),
    ],
)
def test_a_pin_is_worth_nothing_once(ahead: Ahead, home: Snapshot | None, fate: Fate) -> None:
    assert worth(ahead, home) == Worth(fate, 0)


def test_idleness_alone_costs_nothing_where_nothing_is_evicted() -> None:
    idle = replace(AHEAD, pin=replace(PIN, idle_s=1e6, misses=1))
    assert worth(idle, replace(HOME, evict_after_s=None)).fate is Fate.KEPT
