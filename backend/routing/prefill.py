"""What a prefill costs, learned from the replicas' own timings.

    ms = base + a * new + b * new * (cached + new / 2) + c * decoding

The second term is the layers' work, the third attention's, the fourth what the replies that are being written take of
each step. Fitted by a Kalman filter whose truth walks (Ljung, System Identification, 11.5) on the time from when a
replica could begin with a prompt until its first token.
"""

from dataclasses import dataclass, field

# Of a small model on a small machine; a few dozen turns replace it.
_PRIOR = (15.0, 300.0, 5.0, 3.0)
_SPREAD = (30.0, 600.0, 60.0, 10.0)  # how far the prior may be off
_FLOOR = (1.0, 0.5, 0.0, 0.0)
_DRIFT = 0.02  # how far the truth may wander between two samples, as a share of the spread
_LEAST_NOISE_MS = 2.0
_OUTLIER = 4.0  # residuals beyond so many usual ones are cut


def _features(new_tokens: float, cached_tokens: float, decoding: float) -> list[float]:
    """In thousands of tokens, so that the coefficients are of one size."""
    new, held = new_tokens / 1000, cached_tokens / 1000
    return [1.0, new, new * (held + new / 2), decoding]


@dataclass
class PrefillModel:
    """One for all replicas, with a factor for those that are clearly slower or faster than the rest."""

    coefficients: list[float] = field(default_factory=lambda: list(_PRIOR))
    samples: int = 0
    usual_error_ms: float = 100.0
    _covariance: list[list[float]] = field(
        default_factory=lambda: [[_SPREAD[i] ** 2 if i == j else 0.0 for j in range(4)] for i in range(4)]
    )
    _paces: dict[str, float] = field(default_factory=dict)

    def ms(self, new_tokens: float, cached_tokens: float = 0, decoding: float = 0, replica_id: str = "") -> float:
        """Predicted time to the first token on a replica with nothing to prefill before."""
        return self._plain(new_tokens, cached_tokens, decoding) * self.pace(replica_id)

    def empty_ms(self, decoding: float, replica_id: str = "") -> float:
        """`ms(0, 0, decoding)`, which is asked of every replica for every request."""
        base, _, _, others = self.coefficients
        return (base + others * decoding) * self.pace(replica_id)

    def pace(self, replica_id: str) -> float:
        """How much slower than the rest; exactly 1 within a quarter, so that equals stay equal."""
        factor = self._paces.get(replica_id, 1.0)
        return factor if not 0.8 <= factor <= 1.25 else 1.0

    def learn(self, took_ms: float, new_tokens: int, cached_tokens: int, decoding: int, replica_id: str = "") -> None:
        """Take one measured prefill."""
        predicted = self._plain(new_tokens, cached_tokens, decoding)
        ratio = min(4.0, max(0.25, took_ms / max(predicted, 1.0)))
        self._paces[replica_id] = 0.95 * self._paces.get(replica_id, 1.0) + 0.05 * ratio
        x = _features(new_tokens, cached_tokens, decoding)
        error = took_ms / self.pace(replica_id) - predicted
        bound = _OUTLIER * self.usual_error_ms
        error = min(bound, max(-bound, error))
        self.usual_error_ms += 0.05 * (max(1.0, abs(error)) - self.usual_error_ms)
        self._update(x, error)
        self.samples += 1

    def forget(self, replica_id: str) -> None:
        self._paces.pop(replica_id, None)

    def _plain(self, new_tokens: float, cached_tokens: float, decoding: float) -> float:
        base, layers, attention, others = self.coefficients
        new, held = new_tokens / 1000, cached_tokens / 1000
        return base + layers * new + attention * new * (held + new / 2) + others * decoding

    def _update(self, x: list[float], error: float) -> None:
        p = self._covariance
        px = [sum(row[j] * x[j] for j in range(4)) for row in p]
        scale = max(_LEAST_NOISE_MS, self.usual_error_ms) ** 2 + sum(x[i] * px[i] for i in range(4))
        gain = [value / scale for value in px]
        moved = [c + g * error for c, g in zip(self.coefficients, gain, strict=True)]
        self.coefficients = [max(low, value) for low, value in zip(_FLOOR, moved, strict=True)]
        p = [[p[i][j] - gain[i] * px[j] for j in range(4)] for i in range(4)]
        for i, spread in enumerate(_SPREAD):
            p[i][i] = min(p[i][i] + (_DRIFT * spread) ** 2, max(p[i][i], spread**2))
        self._covariance = p
