"""What a replica's time goes into: a linear model of one engine step, fitted to a real replica's times.

A step takes `step_ms`, and `prefill_ms` for each new token, `attention_ms` for each new token and thousand tokens
before it, `decode_ms` for each reply that gets its next token in it. Outside of the steps a request costs `request_ms`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

FITTED = Path(__file__).parents[1] / "results" / "cost.json"
T = TypeVar("T")

_HELD_OUT = 3  # every third sample takes no part in the fit and says how far off it is


@dataclass(frozen=True)
class Cost:
    request_ms: float
    step_ms: float
    prefill_ms: float
    attention_ms: float
    decode_ms: float

    def prefill_step_s(self, new: int, attended: float, decoding: int) -> float:
        """One step that prefills `new` tokens; `attended` is the sum of new tokens times thousands before them."""
        ms = self.step_ms + self.prefill_ms * new + self.attention_ms * attended + self.decode_ms * decoding
        return ms / 1000

    def decode_step_s(self, decoding: int) -> float:
        return (self.step_ms + self.decode_ms * decoding) / 1000


@dataclass(frozen=True)
class Sample:
    """A measured time to first token; `decoding` replies were running, which waited for the step with everyone."""

    new_tokens: int
    cached_tokens: int
    decoding: int
    ttft_ms: float


@dataclass(frozen=True)
class Pace:
    """A measured time from token to token with so many replies at once."""

    decoding: int
    token_ms: float


@dataclass(frozen=True)
class Fit:
    """`error`: the median of |predicted - measured| / measured over the samples that took no part."""

    cost: Cost
    prefill_error: float
    decode_error: float
    samples: int


def attended(new: int, before: int) -> float:
    """New tokens times thousands of tokens in front of each."""
    return new * (before + new / 2) / 1000


def fit(samples: Sequence[Sample], paces: Sequence[Pace]) -> Fit:
    """Non-negative least squares of relative errors: first the pace of decoding, then what a prefill adds."""
    known, asked = _split(paces)
    step_ms, decode_ms = _solve([(1.0, float(p.decoding)) for p in known], [p.token_ms for p in known])
    learnt, held_out = _split(samples)
    # The last coefficient is the request's own: a step's share of it is known from the decoding.
    rows = [(float(s.new_tokens), attended(s.new_tokens, s.cached_tokens), 1.0) for s in learnt]
    rest = [s.ttft_ms - step_ms - decode_ms * (s.decoding + 1) for s in learnt]
    prefill_ms, attention_ms, request_ms = _solve(rows, rest, weights=[s.ttft_ms for s in learnt])
    cost = Cost(request_ms, step_ms, prefill_ms, attention_ms, decode_ms)
    prefill_error = _median_error([ttft_ms(cost, s) for s in held_out], [s.ttft_ms for s in held_out])
    paced = [1000 * cost.decode_step_s(p.decoding) for p in asked]
    return Fit(cost, prefill_error, _median_error(paced, [p.token_ms for p in asked]), len(samples) + len(paces))


def ttft_ms(cost: Cost, sample: Sample) -> float:
    """What the model says of a sample."""
    work = attended(sample.new_tokens, sample.cached_tokens)
    return cost.request_ms + 1000 * cost.prefill_step_s(sample.new_tokens, work, sample.decoding + 1)


def save(fitted: Fit, path: Path, about: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about | asdict(fitted), indent=2) + "\n")


def load(path: Path = FITTED) -> Cost:
    return Cost(**json.loads(path.read_text())["cost"])


def _split(items: Sequence[T]) -> tuple[list[T], list[T]]:
    learnt = [item for number, item in enumerate(items) if number % _HELD_OUT]
    return learnt, list(items[::_HELD_OUT])


def _solve(rows: Sequence[Sequence[float]], values: Sequence[float], weights: Sequence[float] | None = None) -> list:
    """Least squares of relative errors without negative coefficients: those that would be are dropped one by one."""
    scale = 1 / np.maximum(np.asarray(weights or values, float), 1e-9)
    matrix, target = np.asarray(rows, float) * scale[:, None], np.asarray(values, float) * scale
    active = list(range(matrix.shape[1]))
    while active:
        found, *_ = np.linalg.lstsq(matrix[:, active], target, rcond=None)
        if found.min() >= 0:
            break
        active.pop(int(found.argmin()))
    result = np.zeros(matrix.shape[1])
    if active:
        result[active] = found
    return [float(value) for value in result]


def _median_error(predicted: Sequence[float], measured: Sequence[float]) -> float:
    return float(np.median([abs(p - m) / m for p, m in zip(predicted, measured, strict=True)]))
