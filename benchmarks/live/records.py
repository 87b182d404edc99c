"""The runs that were made, one JSON line each: a table may take several calls, and a run is never made twice."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.live import moves
from benchmarks.turns import Served

Run = dict[str, Any]
_KEY = ("workload", "arm", "seed", "seconds", "rate")


def read(path: Path) -> list[Run]:
    """All runs; of two with the same key the later one counts."""
    lines = path.read_text().splitlines() if path.exists() else []
    runs = [json.loads(line) for line in lines if line]
    return list({key(run): run for run in runs}.values())


def append(path: Path, run: Run, rows: Sequence[Served]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(run | {"rows": rows}) + "\n")


def key(run: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(run[name] for name in _KEY)


def rows_of(run: Run) -> list[Served]:
    return [Served(*row) for row in run["rows"]]


def report(runs: Sequence[Run]) -> str:
    """A table a workload, as Markdown: means over seeds."""
    lines: list[str] = []
    for workload in dict.fromkeys(run["workload"] for run in runs):
        of_it = [run for run in runs if run["workload"] == workload]
        lines += ["", f"### {workload}", "", *_HEADER]
        for arm in dict.fromkeys(run["arm"] for run in of_it):
            lines.append(_line(arm, [run["figures"] for run in of_it if run["arm"] == arm]))
        lines += ["", *verdicts(of_it), *_recoveries(of_it), *_moves(of_it)]
    return "\n".join(lines)


_COLUMNS = (
    "arm", "seeds", "turns", "cached share", "first turn p50 / p95 / p99 ms", "later p50 / p95 / p99 ms", "all p95 ms",
    "CoV", "turns/s", "failed",
)  # fmt: skip
_HEADER = (f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|")


def _line(arm: str, of: Sequence[Mapping[str, Any]]) -> str:
    def mean(*path: str) -> float:
        values = [at(figures, path) for figures in of]
        return float(np.mean([value for value in values if value is not None] or [np.nan]))

    def times(name: str) -> str:
        return " / ".join(f"{mean(name, q):.0f}" for q in ("p50", "p95", "p99"))

    cells = [arm, len(of), sum(figures["turns"] for figures in of), f"{mean('cached_share'):.3f}"]
    cells += [times("ttft_first_ms"), times("ttft_later_ms"), f"{mean('ttft_ms', 'p95'):.0f}"]
    cells += [f"{mean('load_cov'):.2f}", f"{mean('turns_per_s'):.2f}", sum(figures["failed"] for figures in of)]
    return f"| {' | '.join(map(str, cells))} |"


def _recoveries(runs: Sequence[Run]) -> list[str]:
    """How soon the cache holds again what was lost with a replica, for arms that say where a turn went."""
    return [
        f"- {run['arm']}, seed {run['seed']}: cached share of a conversation's first turns elsewhere: "
        + ", ".join(f"{share:.2f}" for share in shares)
        for run in runs
        if (shares := run["figures"].get("after_move"))
    ]


def _moves(runs: Sequence[Run]) -> list[str]:
    """Turns that left their pin, for arms of which it is known where a turn went."""
    lines = []
    for arm in dict.fromkeys(run["arm"] for run in runs if run["arm"] != "oracle"):
        played = [(rows_of(run), run["seconds"] / 2) for run in runs if run["arm"] == arm and run.get("rows")]
        if said := moves.said([moves.counted(rows, middle_s) for rows, middle_s in played]):
            lines.append(f"- {arm}: {said}")
    return lines


def verdicts(runs: Sequence[Run], ours: str = "ours") -> list[str]:
    """For cached share and p95: the best peer and whether ours is better, equal or worse, by paired differences."""
    lines = []
    for name, path, better in (("cached share", ("cached_share",), 1), ("p95 to first token", ("ttft_ms", "p95"), -1)):
        values = by_arm(runs, path)
        mine = values.pop(ours, None)
        peers = {arm: found for arm, found in values.items() if arm != "oracle" and mine and found.keys() & mine.keys()}
        if not mine or not peers:
            continue
        best = max(peers, key=lambda arm: better * np.mean([peers[arm][seed] for seed in peers[arm]]))
        pairs = [(mine[seed], peers[best][seed]) for seed in sorted(mine.keys() & peers[best].keys())]
        lines.append(f"- {name}: ours against {best}, the best peer: {compare(pairs, better)}")
    return lines


def compare(pairs: Sequence[tuple[float, float]], better: int) -> str:
    """`pairs`: ours and the peer's of the same seed; `better` 1 where more is better, else -1.

    Equal means that nought lies inside the 95 % interval of the paired differences (Student's t); one pair has none.
    """
    differences = np.array([mine - peer for mine, peer in pairs])
    mean = float(differences.mean())
    ratio = float(np.mean([mine for mine, _ in pairs]) / np.mean([peer for _, peer in pairs]))
    if len(pairs) < 2:
        return f"ratio {ratio:.2f}, one seed: no interval"
    half = _T95[min(len(pairs), len(_T95) + 1) - 2] * float(differences.std(ddof=1)) / len(pairs) ** 0.5
    verdict = "equal" if abs(mean) <= half else ("better" if mean * better > 0 else "worse")
    return f"{verdict}, ratio {ratio:.2f}, difference {mean:+.3g} ± {half:.2g} over {len(pairs)} seeds"


# Student's t, two-sided 95 %, by degrees of freedom from 1.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


def by_arm(runs: Iterable[Run], path: Sequence[str]) -> dict[str, dict[int, float]]:
    """arm -> seed -> figure."""
    found: dict[str, dict[int, float]] = {}
    for run in runs:
        value = at(run["figures"], path)
        if value is not None:
            found.setdefault(run["arm"], {})[run["seed"]] = value
    return found


def at(figures: Mapping[str, Any], path: Sequence[str]) -> float | None:
    value: Any = figures
    for name in path:
        if value is None:
            return None
        value = value[name]
    return value
