"""A measured run's turns on the simulator: the oracle's rows come from here, because no router knows the future."""

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.live import records
from benchmarks.live.run import WARMING_SHARE
from benchmarks.live.script import Writer
from benchmarks.live.workloads import REPLICAS, Workload, workloads
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.scenarios import AMPLE_BLOCKS, Scenario, simulate
from benchmarks.traffic import cacheable_tokens
from benchmarks.turns import Window, figures


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


def _scenario(workload: Workload, run: records.Run) -> Scenario:
    """vLLM keeps one block of those it is given for itself."""
    blocks = run["blocks"] - 1 if run["blocks"] else AMPLE_BLOCKS
    return Scenario(workload.name, workload.shape, REPLICAS, blocks=blocks)
