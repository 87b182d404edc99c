"""What a replica's time goes into: a linear model of one engine step, fitted to a real replica's times.

A step takes `step_ms`, and `prefill_ms` for each new token, `attention_ms` for each new token and thousand tokens
before it, `decode_ms` for each reply that gets its next token in it and `context_ms` for each thousand tokens before
that. Outside of the steps a request costs `request_ms`, and `text_ms` for each thousand tokens of its prompt. All takes
`beside` times as long while another replica of the same machine computes.

Runs teach two more (`validate.learn`) that a calibration does not see: `crowded` says how many times longer a request
takes outside of the steps, on its way in and again on its way out, while all replicas of the machine compute and leave
no core to anything else; `noise` is the standard deviation of the logarithm of a step's time.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

FITTED = Path(__file__).parents[1] / "results" / "cost.json"
SAMPLES = FITTED.with_name("cost_samples.json")
T = TypeVar("T")

_HELD_OUT = 3  # every third sample takes no part in the fit and says how far off it is
_SLOWER = np.arange(1.0, 3.01, 0.01)  # values of `beside` that are tried
_ROUNDS = 30
_ERROR_FLOOR = 0.02  # relative errors below it are as good as none


@dataclass(frozen=True)
class Cost:
    request_ms: float
    step_ms: float
    prefill_ms: float
    attention_ms: float
    decode_ms: float
    context_ms: float = 0.0
    text_ms: float = 0.0
    beside: float = 1.0
    noise: float = 0.0
    crowded: float = 1.0

    def front_s(self, prompt: int) -> float:
        """From the arrival of a request with so many tokens until the engine has it."""
        return (self.request_ms + self.text_ms * prompt / 1000) / 1000

    def prefill_step_s(self, new: int, attended: float, decoding: int, context: float = 0.0) -> float:
        """One step that prefills `new` tokens; `attended` is the sum of new tokens times thousands before them, and
        `context` the thousands of tokens before the replies that get their next token."""
        return self.decode_step_s(decoding, context) + (self.prefill_ms * new + self.attention_ms * attended) / 1000

    def decode_step_s(self, decoding: int, context: float = 0.0) -> float:
        return (self.step_ms + self.decode_ms * decoding + self.context_ms * context) / 1000


@dataclass(frozen=True)
class Sample:
    """A measured time to first token; `decoding` replies were running, which waited for the step with everyone.
    `beside`: another replica of the machine was computing."""

    new_tokens: int
    cached_tokens: int
    decoding: int
    ttft_ms: float
    beside: bool = False


@dataclass(frozen=True)
class Pace:
    """A measured time from token to token with so many replies at once, each behind so many tokens."""

    decoding: int
    token_ms: float
    context_tokens: int = 0
    beside: bool = False


@dataclass(frozen=True)
class Fit:
    """Of the samples that took no part: the medians of |predicted - measured| / measured, and how far the predicted
    median and 95th percentile of all times to first token are off."""

    cost: Cost
    prefill_error: float
    decode_error: float
    ttft_p50_bias: float
    ttft_p95_bias: float
    samples: int


def attended(new: int, before: int) -> float:
    """New tokens times thousands of tokens in front of each."""
    return new * (before + new / 2) / 1000


def fit(samples: Sequence[Sample], paces: Sequence[Pace]) -> Fit:
    """The non-negative coefficients with the least sum of relative errors, and the `beside` with which it is least."""
    learnt, held_out = _split(samples)
    paced, asked = _split(paces)
    rows = [_ttft_row(s) for s in learnt] + [_pace_row(p) for p in paced]
    times = [s.ttft_ms for s in learnt] + [p.token_ms for p in paced]
    crowded = np.array([each.beside for each in (*learnt, *paced)])
    matrix, target = np.array(rows), np.array(times)
    tried = _SLOWER if crowded.any() else [1.0]
    best = min((_solve(matrix * np.where(crowded, slower, 1.0)[:, None], target), slower) for slower in tried)
    (_, coefficients), slower = best
    cost = Cost(*coefficients, beside=float(slower))
    guessed, truth = [ttft_ms(cost, s) for s in held_out], [s.ttft_ms for s in held_out]
    return Fit(
        cost,
        _median_error(guessed, truth),
        _median_error([token_ms(cost, p) for p in asked], [p.token_ms for p in asked]),
        *(float(np.percentile(guessed, q) / np.percentile(truth, q) - 1) for q in (50, 95)),
        len(samples) + len(paces),
    )


def ttft_ms(cost: Cost, sample: Sample) -> float:
    """What the model says of a sample."""
    return _said(cost, _ttft_row(sample), sample.beside)


def token_ms(cost: Cost, pace: Pace) -> float:
    return _said(cost, _pace_row(pace), pace.beside)


def _said(cost: Cost, row: Sequence[float], beside: bool) -> float:
    coefficients = [value for name, value in vars(cost).items() if name.endswith("_ms")]
    return float(np.dot(row, coefficients)) * (cost.beside if beside else 1.0)


def _ttft_row(s: Sample) -> tuple[float, ...]:
    """By coefficient. Who comes while others decode waits for half a step of theirs, in the mean."""
    steps = 1.5 if s.decoding else 1.0
    prompt, work = (s.new_tokens + s.cached_tokens) / 1000, attended(s.new_tokens, s.cached_tokens)
    return (1.0, steps, s.new_tokens, work, s.decoding * steps + 1, 0.0, prompt)


def _pace_row(p: Pace) -> tuple[float, ...]:
    return (0.0, 1.0, 0.0, 0.0, p.decoding, p.decoding * p.context_tokens / 1000, 0.0)


def save(fitted: Fit, path: Path, about: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about | asdict(fitted), indent=2) + "\n")


def load(path: Path = FITTED) -> Cost:
    return Cost(**json.loads(path.read_text())["cost"])


def save_samples(samples: Sequence[Sample], paces: Sequence[Pace], path: Path, about: dict[str, object]) -> None:
    found: dict[str, Any] = {"samples": [asdict(s) for s in samples], "paces": [asdict(p) for p in paces]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about | found) + "\n")


def load_samples(path: Path) -> tuple[list[Sample], list[Pace], dict[str, object]]:
    """And what else was saved with them."""
    about = json.loads(path.read_text())
    return [Sample(**s) for s in about.pop("samples")], [Pace(**p) for p in about.pop("paces")], about


def _split(items: Sequence[T]) -> tuple[list[T], list[T]]:
    learnt = [item for number, item in enumerate(items) if number % _HELD_OUT]
    return learnt, list(items[::_HELD_OUT])


def _solve(rows: np.ndarray, times: np.ndarray) -> tuple[float, tuple[float, ...]]:
    """(sum of relative errors, coefficients): iteratively reweighted least squares for the least absolute errors,
    because some samples met something else that ran. Coefficients that would be negative are dropped one by one."""
    matrix, weights = rows / times[:, None], np.ones(len(times))
    active = [column for column in range(matrix.shape[1]) if matrix[:, column].any()]
    result = np.zeros(matrix.shape[1])
    for _ in range(_ROUNDS):
        found, *_ = np.linalg.lstsq(matrix[:, active] * weights[:, None], weights, rcond=None)
        while len(active) > 1 and found.min() < 0:
            active.pop(int(found.argmin()))
            found, *_ = np.linalg.lstsq(matrix[:, active] * weights[:, None], weights, rcond=None)
        result[:] = 0.0
        result[active] = found
        weights = 1 / np.sqrt(np.maximum(np.abs(matrix @ result - 1), _ERROR_FLOOR))
    return float(np.abs(matrix @ result - 1).sum()), tuple(map(float, result))


def _median_error(predicted: Sequence[float], measured: Sequence[float]) -> float:
    return float(np.median([abs(p - m) / m for p, m in zip(predicted, measured, strict=True)]))
