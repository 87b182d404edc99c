"""Which replicas hold a brand's prefix: the first k by rendezvous hash, k grown by demand.

Every process ranks alike without asking another, and a replica that comes or goes changes only its own share of the
brands (Thaler and Ravishankar 1996, highest random weight).
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

_BRANDS_KEPT = 10_000


def brand_key(cache_salt: str, prefix: str) -> str:
    """The name of what conversations share: one salt, one pack version. Another of either is another brand."""
    text = f"{len(cache_salt)}:{cache_salt}{prefix}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def ranked(brand: str, replica_ids: Sequence[str]) -> list[str]:
    """The replicas in the brand's own order."""
    return sorted(replica_ids, key=lambda replica_id: (_weight(brand, replica_id), replica_id), reverse=True)


def _weight(brand: str, replica_id: str) -> bytes:
    return hashlib.blake2b(f"{brand}\0{replica_id}".encode(), digest_size=8).digest()


@dataclass
class _Brand:
    level: float = 0.0  # a peak of its attempts in flight that fades
    seen_s: float = 0.0
    inflight: int = 0
    order: tuple[tuple[str, ...], list[str]] = ((), [])


class BrandSets:
    """The demand of each brand, and with it the size of its set.

    A set grows as soon as its replicas would have more than `per_replica` attempts of the brand each; it shrinks as
    the peak fades, by half in `fade_s` seconds.
    """

    def __init__(self, *, least: int = 2, per_replica: float = 4.0, fade_s: float = 30.0) -> None:
        self._least, self._per_replica, self._fade_s = least, per_replica, fade_s
        self._brands: OrderedDict[str, _Brand] = OrderedDict()

    def members(self, brand: str, replica_ids: Sequence[str], now_s: float, *, scarce: bool = False) -> list[str]:
        """The replicas of the brand's set, of those given, in the brand's own order.

        `scarce`: caches are full, so a copy for a failover would throw out another brand's prefix; one must do.
        """
        known = self._brand(brand)
        ids = tuple(replica_ids)
        if known.order[0] != ids:
            known.order = (ids, ranked(brand, ids))
        return known.order[1][: self.size(brand, now_s, scarce=scarce)]

    def size(self, brand: str, now_s: float, *, scarce: bool = False) -> int:
        """How many replicas the brand may use."""
        least = min(self._least, 1) if scarce else self._least
        return max(least, math.ceil(self._level(self._brand(brand), now_s) / self._per_replica))

    def began(self, brand: str, now_s: float) -> None:
        known = self._brand(brand)
        known.inflight += 1
        known.level = max(self._level(known, now_s), known.inflight)
        known.seen_s = now_s

    def ended(self, brand: str, now_s: float) -> None:
        known = self._brand(brand)
        known.level, known.seen_s = self._level(known, now_s), now_s
        known.inflight = max(0, known.inflight - 1)

    def _level(self, brand: _Brand, now_s: float) -> float:
        faded = brand.level * 0.5 ** (max(0.0, now_s - brand.seen_s) / self._fade_s)
        return max(faded, brand.inflight)

    def _brand(self, brand: str) -> _Brand:
        known = self._brands.get(brand)
        if known is None:
            known = self._brands[brand] = _Brand()
        self._brands.move_to_end(brand)
        if len(self._brands) > _BRANDS_KEPT:
            oldest = next(iter(self._brands))
            if not self._brands[oldest].inflight:
                del self._brands[oldest]
        return known
