"""A replica's prefix cache as vLLM keeps it: whole blocks, the least recently used go first, the tail of a prefix
before its head.

Blocks are not followed one by one. A brand's prefix and what follows it in one conversation are two runs of blocks;
each run is used, released and evicted from its end, so a count says all about it.
"""

from collections import OrderedDict

Key = tuple[int, int]  # (brand, -1) for a brand's prefix, (brand, conversation) for what follows it

_NOBODY = -1


class BlockCache:
    """`capacity` blocks. What running turns hold cannot be evicted; the rest stays until its room is needed."""

    __slots__ = ("_held", "_idle", "_retired", "capacity", "evicted", "held", "idle")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.held = 0  # blocks of running turns
        self.idle = 0  # blocks that are cached and could be evicted
        self.evicted = 0
        self._retired = 0
        self._held: dict[Key, list[int]] = {}  # blocks, turns that hold them
        self._idle: OrderedDict[Key, int] = OrderedDict()

    def cached(self, key: Key) -> int:
        run = self._held.get(key)
        return run[0] if run is not None else self._idle.get(key, 0)

    def room(self, keys: tuple[Key, ...]) -> int:
        """Blocks that a turn may take beside those it finds under `keys`."""
        return self.capacity - self.held - sum(self._idle.get(key, 0) for key in keys)

    def hold(self, key: Key, blocks: int) -> None:
        """Take a run into use, at least so many blocks long; the caller has asked whether there is room."""
        run = self._held.get(key)
        if run is None:
            found = self._idle.pop(key, 0)
            self.idle -= found
            run = self._held[key] = [found, 0]
            self.held += found
        run[1] += 1
        if blocks > run[0]:
            self.take(blocks - run[0])
            run[0] = blocks

    def take(self, blocks: int) -> None:
        """Take blocks that belong to no run yet, evicting where needed."""
        self.held += blocks
        excess = self.held + self.idle - self.capacity
        while excess > 0 and self._idle:
            key, count = self._idle.popitem(last=False)
            gone = min(count, excess)
            if count > gone:
                self._idle[key] = count - gone
                self._idle.move_to_end(key, last=False)
            self.idle -= gone
            self.evicted += gone
            excess -= gone

    def retire(self, blocks: int) -> None:
        """Return blocks whose content nobody will ask for: they wait their turn to be evicted like all others."""
        self.held -= blocks
        if blocks:
            self._retired += 1
            self._idle[_NOBODY, self._retired] = blocks
            self.idle += blocks

    def release(self, key: Key) -> None:
        """End one turn's use of a run; when nobody uses it, it is the last to be evicted."""
        run = self._held[key]
        run[1] -= 1
        if run[1]:
            return
        del self._held[key]
        self.held -= run[0]
        if run[0]:
            self._idle[key] = run[0]
            self.idle += run[0]

    def clear(self) -> None:
        self.held = self.idle = 0
        self._held.clear()
        self._idle.clear()
