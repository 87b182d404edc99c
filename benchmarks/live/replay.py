"""A measured run's turns on the simulator: the oracle's rows come from here, because no router knows the future."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.live import records
from benchmarks.live.run import WARMING_SHARE
from benchmarks.live.script import Writer
from benchmarks.live.workloads import REPLICAS, Workload, workloads
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.scenarios import AMPLE_BLOCKS, Scenario, simulate
from benchmarks.traffic import Conversation, cacheable_tokens
from benchmarks.turns import Served, Window, figures


def replay(run: records.Run, arm: str, cost: Cost, writer: Writer) -> dict[str, Any]:
    """The figures that the simulator gives for the run's turns, had `arm` routed them."""
    talks = talks_of(run, writer)
    rows = simulate(scenario_of(run), arm, run["seed"], cost, talks)
    return figures_of(run, rows, talks)


def oracle_runs(runs: Iterable[records.Run], cost: Cost, writer: Writer) -> Iterator[records.Run]:
    """One for each workload and seed that was measured and that nothing breaks in."""
    seen = set()
    for run in runs:
        case = (run["workload"], run["seed"], run["seconds"], run["rate"])
        if case in seen or workload_of(run).trouble:
            continue
        seen.add(case)
        yield run | {"arm": "oracle", "figures": replay(run, "oracle", cost, writer)}


def workload_of(run: records.Run) -> Workload:
    return workloads(run["seconds"], run["rate"])[run["workload"]]


def talks_of(run: records.Run, writer: Writer) -> list[Conversation]:
    return [script.talk for script in workload_of(run).scripts(writer, run["seed"])]


def scenario_of(run: records.Run) -> Scenario:
    """vLLM keeps one block of those it is given for itself."""
    workload = workload_of(run)
    blocks = run["blocks"] - 1 if run["blocks"] else AMPLE_BLOCKS
    return Scenario(workload.name, workload.shape, REPLICAS, blocks=blocks, processes=workload.processes)


def figures_of(run: records.Run, rows: Sequence[Served], talks: Sequence[Conversation]) -> dict[str, Any]:
    """Of the part of the run that counts."""
    window = Window(WARMING_SHARE * run["seconds"], run["seconds"])
    return figures(rows, cacheable_tokens(talks), REPLICAS, window)
