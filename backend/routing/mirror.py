"""What a replica still has in cache, by our own account of what it was asked.

vLLM evicts the least recently used blocks first, hits and writes alike counting as use. So a list of the prefixes that
were used, each with its length, cut where their sum exceeds the cache, says since when a prefix must have been used to
be still there. What a turn in flight needs takes its room from the turn's beginning on and cannot go: in a cache that
holds a few conversations, turns in flight are most of it.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

_TELLING_TOKENS = 5_000
_MOST_ENTRIES = 10_000  # of a replica that does not tell its capacity


@dataclass
class CacheMirror:
    """Of one boot of a replica. Memory is bounded by the replica's cache, not by the number of conversations.

    `share` is how much of the capacity counts: misses lower it, late hits raise it. `ours` is the part of the
    replica's traffic that came from this process: others fill the rest.
    """

    share: float = 1.0
    ours: float = 1.0
    _entries: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)  # key -> (tokens, last use)
    _running: dict[str, int] = field(default_factory=dict)  # key -> turns that use it now
    _held_tokens: int = 0
    _gone_s: float | None = None  # what was used before this is gone
    _latest_s: float = 0.0
    _capacity_tokens: float = 0.0
    _own_tokens: float = 0.0
    _seen_tokens: float | None = None

    def begin(self, key: str, tokens: int, now_s: float) -> int:
        """A turn that needs the prefix `key`, of about so many tokens of its own, is on its way: it takes its room at
        once, and keeps it until `end`. The tokens that were there before."""
        self._running[key] = self._running.get(key, 0) + 1
        before = self._entries.get(key, (0, 0.0))[0]
        self.use(key, max(tokens, before), now_s)
        return before

    def end(self, key: str, now_s: float, tokens: int | None = None) -> None:
        """The turn is over, and `tokens` is how long the prefix has become; None: as long as was thought."""
        left = self._running.pop(key, 1) - 1
        if left > 0:
            self._running[key] = left
        if key not in self._entries:
            return
        known = self._entries[key][0]
        if tokens is None or left > 0:
            tokens = max(known, tokens or 0)
        self.use(key, tokens, now_s)
        if not tokens:
            self._entries.pop(key, None)

    def is_used(self, key: str) -> bool:
        """Whether a turn needs it now: then it cannot be evicted."""
        return key in self._running

    def use(self, key: str, tokens: int, now_s: float) -> None:
        """The prefix `key`, of so many tokens of its own, was read or written."""
        before, _ = self._entries.pop(key, (0, 0.0))
        self._entries[key] = (tokens, now_s)
        self._latest_s = now_s
        self._held_tokens += tokens - before
        self._trim()

    def served(self, tokens: int) -> None:
        """Tokens that the replica read and wrote for this process."""
        self._own_tokens += tokens

    def observe(self, all_tokens: float, capacity_tokens: float) -> None:
        """`all_tokens` were read and written since the boot for whomever, as the engine counts."""
        self._capacity_tokens = capacity_tokens
        if self._seen_tokens is None:
            self._seen_tokens, self._own_tokens = all_tokens, 0.0
        grown = all_tokens - self._seen_tokens
        # A poll sees a little more or less than what has ended by then: only a good deal of traffic tells the share.
        if grown >= _TELLING_TOKENS:
            ours = min(1.0, self._own_tokens / grown)
            self.ours += 0.3 * (max(0.05, ours) - self.ours)
            self._seen_tokens, self._own_tokens = all_tokens, 0.0
        self._trim()

    def after_s(self, now_s: float) -> float | None:
        """The age beyond which a prefix is gone; None while everything fits."""
        return None if self._gone_s is None else max(0.0, now_s - self._gone_s)

    def missed(self) -> None:
        """A prefix that was counted on was not there."""
        self.share = max(0.2, self.share * 0.9)
        self._trim()

    def held(self) -> None:
        """A prefix near the age of eviction was still there."""
        self.share = min(1.0, self.share * 1.05)

    def _trim(self) -> None:
        if self._capacity_tokens <= 0:
            while len(self._entries) > _MOST_ENTRIES:
                self._held_tokens -= self._entries.popitem(last=False)[1][0]
            return
        room = self._capacity_tokens * self.share * self.ours
        while self._held_tokens > room and (key := self._oldest()) is not None:
            tokens, used_s = self._entries.pop(key)
            self._held_tokens -= tokens
            # Half way to the next that could go, because those who ask noted a moment later when they used theirs.
            kept = self._oldest()
            self._gone_s = (used_s + (self._latest_s if kept is None else self._entries[kept][1])) / 2

    def _oldest(self) -> str | None:
        """Of those that could be evicted."""
        return next((key for key in self._entries if key not in self._running), None)
