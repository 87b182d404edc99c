"""What one turn was served with, and what a run of them amounts to; the same for measured and simulated ones."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Served(NamedTuple):
    """One turn of one conversation, its `index` counted from 1; times from the moment at which it was due and free.

    `cached_tokens` is what the engine reported. A turn that failed has neither a first token nor cached tokens.
    """

    conversation: int
    index: int
    due_s: float
    replica: str
    ttft_ms: float
    total_ms: float
    prompt_tokens: int
    cached_tokens: int
    failed: bool
    moved: bool
    reason: str = ""


@dataclass(frozen=True)
class Window:
    """Only turns due from here to there count: what came before has filled the caches."""

    from_s: float = 0.0
    to_s: float = float("inf")


def figures(
    rows: Sequence[Served], cacheable: Mapping[int, Sequence[int]], replicas: int, window: Window = Window()
) -> dict[str, Any]:
    """`cacheable`: by conversation and turn, what a cache without end would hold; `replicas`: how many could serve."""
    rows = [row for row in rows if window.from_s <= row.due_s < window.to_s]
    served = [row for row in rows if not row.failed]
    could = sum(cacheable[row.conversation][row.index - 1] for row in served)
    ends = max((row.due_s + row.total_ms / 1000 for row in served), default=0.0)
    return {
        "turns": len(rows),
        "failed": len(rows) - len(served),
        "cached_share": sum(row.cached_tokens for row in served) / could if could else None,
        "ttft_ms": _spread([row.ttft_ms for row in served]),
        "ttft_first_ms": _spread([row.ttft_ms for row in served if row.index == 1]),
        "ttft_later_ms": _spread([row.ttft_ms for row in served if row.index > 1]),
        "load_cov": load_spread(served, replicas),
        "turns_per_s": len(served) / max(ends - window.from_s, 1e-9),
        "moves": sum(row.moved for row in rows),
        "after_move": after_move(served, cacheable),
        "reasons": dict(Counter(row.reason for row in rows if row.reason)),
    }


def after_move(rows: Iterable[Served], cacheable: Mapping[int, Sequence[int]], turns: int = 3) -> list[float]:
    """Cached share of the turns that were served elsewhere than the one before, then of the next ones of the same
    conversations; fewer than `turns` shares where no conversation went on for so long."""
    since: dict[int, int] = {}
    had, could = [0] * turns, [0] * turns
    for row in sorted(rows, key=lambda row: (row.conversation, row.index)):
        since[row.conversation] = 0 if row.moved else since.get(row.conversation, turns) + 1
        nth = since[row.conversation]
        if nth < turns:
            had[nth] += row.cached_tokens
            could[nth] += cacheable[row.conversation][row.index - 1]
    return [cached / possible for cached, possible in zip(had, could, strict=True) if possible]


def load_spread(rows: Sequence[Served], replicas: int) -> float:
    """Coefficient of variation of the replicas' numbers of turns."""
    turns = list(Counter(row.replica for row in rows).values())
    return spread([*turns, *[0] * (replicas - len(turns))])


def spread(loads: Sequence[float]) -> float:
    """Coefficient of variation: 0 when all have the same."""
    return float(np.std(loads) / np.mean(loads)) if sum(loads) else 0.0


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    """Median and tail, None when there is nothing."""
    if not values:
        return None
    p50, p95, p99 = np.percentile(values, [50, 95, 99], method="higher")
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99)}
