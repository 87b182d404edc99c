"""What a pin is worth: the tokens that its replica is expected to have in cache, or why there are none."""

from dataclasses import dataclass
from enum import StrEnum

from backend.placement import Ahead, Pin, Snapshot


class Fate(StrEnum):
    """What has become of a pin."""

    NONE = "none"  # there was none
    KEPT = "kept"
    GONE = "gone"  # its replica is not in the set or was never seen alive
    BOOTED = "booted"  # its replica has booted since
    EVICTED = "evicted"  # idle for longer than the replica keeps anything
    REBRANDED = "rebranded"  # another salt or pack version
    FOLDED = "folded"  # the history was folded: the prompt is another one
    MISSED = "missed"  # twice in a row it was not there when it should have been


_MOST_MISSES = 2


@dataclass(frozen=True)
class Worth:
    """`tokens` counts whole blocks; it is 0 for every fate but KEPT."""

    fate: Fate
    tokens: int = 0


def worth(ahead: Ahead, home: Snapshot | None, block_tokens: int = 32) -> Worth:
    """What `ahead.pin` is worth on `home`, its replica as it is now (None: not in the set)."""
    pin = ahead.pin
    if pin is None:
        return Worth(Fate.NONE)
    fate = _fate(pin, ahead, home)
    if fate is not Fate.KEPT:
        return Worth(fate)
    # A block is reused whole or not at all.
    return Worth(fate, pin.held_tokens // block_tokens * block_tokens)


def _fate(pin: Pin, ahead: Ahead, home: Snapshot | None) -> Fate:
    if home is None or home.boot_id is None:
        return Fate.GONE
    if home.boot_id != pin.boot_id:
        return Fate.BOOTED
    if pin.brand is not None and ahead.brand and pin.brand != ahead.brand:
        return Fate.REBRANDED
    if not ahead.continues:
        return Fate.FOLDED
    if pin.misses >= _MOST_MISSES:
        return Fate.MISSED
    if home.evict_after_s is not None and pin.idle_s > home.evict_after_s:
        return Fate.EVICTED
    return Fate.KEPT
