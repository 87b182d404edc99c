"""The simulator against what was measured: the same turns, the same caches, the fitted cost model.

The oracle's rows come from here too: it cannot be measured, because no router knows the future.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.live import records
from benchmarks.live.run import WARMING_SHARE
from benchmarks.live.script import Writer
from benchmarks.live.workloads import REPLICAS, Workload, workloads
from benchmarks.simulation.arms import Arm
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.replica import Job, SimReplica
from benchmarks.simulation.scenarios import AMPLE_BLOCKS, Scenario, capacity_blocks, simulate
from benchmarks.simulation.world import World
from benchmarks.traffic import cacheable_tokens
from benchmarks.turns import Window, figures

SIMULATED_AS = {"sglang_cache_aware": "cache_aware"}
COMPARED = (("cached_share",), ("ttft_ms", "p50"), ("ttft_ms", "p95"), ("turns_per_s",))


def replay(run: records.Run, arm: str, cost: Cost, writer: Writer) -> dict[str, Any]:
    """The figures that the simulator gives for the run's turns, had `arm` routed them."""
    workload = workloads(run["seconds"], run["rate"])[run["workload"]]
    talks = [script.talk for script in workload.scripts(writer, run["seed"])]
    rows = simulate(_scenario(workload, run), arm, run["seed"], cost, talks)
    window = Window(WARMING_SHARE * run["seconds"], run["seconds"])
    return figures(rows, cacheable_tokens(talks), REPLICAS, window)


def oracle_runs(runs: Iterable[records.Run], cost: Cost, writer: Writer) -> Iterator[records.Run]:
    """One for each workload and seed that was measured and that nothing breaks in."""
    seen = set()
    for run in runs:
        case = (run["workload"], run["seed"], run["seconds"], run["rate"])
        if case in seen or workloads(run["seconds"], run["rate"])[run["workload"]].trouble:
            continue
        seen.add(case)
        yield run | {"arm": "oracle", "figures": replay(run, "oracle", cost, writer)}


def errors(
    runs: Iterable[records.Run], cost: Cost, writer: Writer
) -> list[tuple[str, str, int, list[tuple[float, float]]]]:
    """(workload, arm, seed, (measured, simulated) for each of COMPARED)."""
    found = []
    for run in runs:
        if workloads(run["seconds"], run["rate"])[run["workload"]].trouble:
            continue
        guessed = replay(run, SIMULATED_AS.get(run["arm"], run["arm"]), cost, writer)
        pairs = [(records.at(run["figures"], path), records.at(guessed, path)) for path in COMPARED]
        found.append((run["workload"], run["arm"], run["seed"], pairs))
    return found


class AsMeasured(Arm):
    """Sends each turn where it went in the run: what is left to compare is the cache alone."""

    name = "as measured"

    def __init__(self, replicas: Sequence[SimReplica], run: records.Run) -> None:
        super().__init__(replicas, range(len(replicas)), random.Random(0))
        self._went = {(row.conversation, row.index): int(row.replica[1:]) for row in records.rows_of(run)}

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        return self._went[job.talk.id, job.index + 1]


def cache_check(run: records.Run, cost: Cost, writer: Writer) -> str | None:
    """Cached tokens by turn, measured and simulated with the same placements; None where these are not known."""
    measured = {(row.conversation, row.index): row for row in records.rows_of(run)}
    if any(row.failed or not row.replica for row in measured.values()):
        return None
    workload = workloads(run["seconds"], run["rate"])[run["workload"]]
    talks = [script.talk for script in workload.scripts(writer, run["seed"])]
    blocks = capacity_blocks(_scenario(workload, run), talks)
    replicas = [SimReplica(number, blocks, cost) for number in range(REPLICAS)]
    simulated = World(replicas, AsMeasured(replicas, run), talks).run()
    same = sum(row.cached_tokens == measured[row.conversation, row.index].cached_tokens for row in simulated)
    guess, truth = (sum(row.cached_tokens for row in rows) for rows in (simulated, measured.values()))
    return (
        f"{run['workload']:<12}{run['arm']:<28}seed {run['seed']:<3} same placements: cached tokens {truth} -> {guess} "
        f"({guess / truth - 1:+.1%}), {same} of {len(measured)} turns exactly"
    )


def report(found: Sequence[tuple[str, str, int, list[tuple[float, float]]]]) -> str:
    """A line a run, then the median error of each figure."""
    names = [" ".join(path) for path in COMPARED]
    lines = [f"{'':<48}" + "".join(f"{name:>26}" for name in names)]
    for workload, arm, seed, pairs in found:
        cells = "".join(f"{f'{m:.4g} -> {s:.4g} ({s / m - 1:+.0%})':>26}" for m, s in pairs)
        lines.append(f"{workload:<12}{arm:<28}seed {seed:<3}{cells}")
    for number, name in enumerate(names):
        misses = sorted(abs(pairs[number][1] / pairs[number][0] - 1) for *_, pairs in found)
        lines.append(f"median error of {name}: {misses[len(misses) // 2]:.1%}, worst {misses[-1]:.1%}")
    return "\n".join(lines)


def _scenario(workload: Workload, run: records.Run) -> Scenario:
    """vLLM keeps one block of those it is given for itself."""
    blocks = run["blocks"] - 1 if run["blocks"] else AMPLE_BLOCKS
    return Scenario(workload.name, workload.shape, REPLICAS, blocks=blocks)
