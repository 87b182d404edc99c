"""How many attempts a replica takes at once, found by additive increase and multiplicative decrease.

What is measured is how much slower an attempt was than it would have been alone: time to first token and the pace of
the tokens that follow, against the best that was seen.
"""

from dataclasses import dataclass


@dataclass
class InflightLimit:
    """Grows by one for each round of attempts that used the room and went well, shrinks once a round when slow."""

    limit: float = 8.0
    least: float = 2.0
    most: float = 256.0
    tolerance: float = 3.0
    _calm_until_s: float = 0.0

    def learn(self, took_ms: float, alone_ms: float, inflight: int, now_s: float) -> None:
        """`inflight` is how many attempts the replica had when this one began, itself included."""
        if took_ms > self.tolerance * alone_ms:
            # One round of attempts measures the same crowd: it counts once.
            if now_s >= self._calm_until_s:
                self.limit = max(self.least, self.limit * 0.85)
                self._calm_until_s = now_s + took_ms / 1000
        elif inflight >= 0.8 * self.limit:
            self.limit = min(self.most, self.limit + 1 / self.limit)

    def refused(self, now_s: float) -> None:
        """The replica itself said that it is full."""
        if now_s >= self._calm_until_s:
            self.limit = max(self.least, self.limit * 0.7)
            self._calm_until_s = now_s + 1.0
