"""The simulator against what was measured: the same turns on two replicas that share this machine.

Once with placements of its own, and where the arm says which replica answered, once with the measured ones: then only
the caches and the times are left to compare.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.live import records
from benchmarks.live.replay import COMPARED, AsMeasured, report
from benchmarks.live.run import WARMING_SHARE
from benchmarks.live.script import Writer
from benchmarks.live.workloads import REPLICAS, Workload, workloads
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.replica import SimReplica
from benchmarks.simulation.scenarios import AMPLE_BLOCKS, Scenario, share_machine, simulate
from benchmarks.simulation.world import World
from benchmarks.traffic import Conversation, cacheable_tokens
from benchmarks.turns import Served, Window, figures

# vllm-router 0.1.17 finds no text in front of static workers: `cache_aware` goes to the least loaded, as 112 of 116
# turns did that were sent through it to two servers that only answered (the others met a tie). sglang-router's works.
SIMULATED_AS = {"cache_aware": "least_loaded", "sglang_cache_aware": "cache_aware"}

# What the arm itself adds to the first token, by `benchmarks.endpoint_overhead` with one client.
FRONT_MS = {"ours": 2.4, "litellm_session_affinity": 8.4}
ROUTER_MS = 0.5

Row = tuple[str, str, int, list[tuple[float, float]]]


def validate(runs: Iterable[records.Run], cost: Cost, writer: Writer) -> str:
    """A line a run, and the median error of each figure; then the same with the measured placements."""
    runs = [run for run in runs if not _workload(run).trouble]
    lines = ["own placements", report([own_placements(run, cost, writer) for run in runs])]
    told = [run for run in runs if is_told(run)]
    if told:
        lines += ["", "measured placements", report([measured_placements(run, cost, writer) for run in told])]
        lines += [cached_tokens(run, cost, writer) for run in told]
    return "\n".join(lines)


def own_placements(run: records.Run, cost: Cost, writer: Writer) -> Row:
    """(workload, arm, seed, (measured, simulated) for each of COMPARED)."""
    scenario, talks = _scenario(run), _talks(run, writer)
    return _compared(run, simulate(scenario, SIMULATED_AS.get(run["arm"], run["arm"]), run["seed"], cost, talks), talks)


def measured_placements(run: records.Run, cost: Cost, writer: Writer) -> Row:
    talks = _talks(run, writer)
    return _compared(run, _as_measured(run, cost, talks), talks)


def cached_tokens(run: records.Run, cost: Cost, writer: Writer) -> str:
    """By turn, with the same placements."""
    measured = {(row.conversation, row.index): row.cached_tokens for row in records.rows_of(run)}
    simulated = _as_measured(run, cost, _talks(run, writer))
    same = sum(row.cached_tokens == measured[row.conversation, row.index] for row in simulated)
    guess, truth = sum(row.cached_tokens for row in simulated), sum(measured.values())
    return (
        f"{run['workload']:<12}{run['arm']:<28}seed {run['seed']:<3}cached tokens {truth} -> {guess} "
        f"({guess / truth - 1:+.1%}), {same} of {len(measured)} turns exactly"
    )


def is_told(run: records.Run) -> bool:
    """Whether every turn was served and says where."""
    return not any(row.failed or not row.replica for row in records.rows_of(run))


def _as_measured(run: records.Run, cost: Cost, talks: Sequence[Conversation]) -> list[Served]:
    replicas = [SimReplica(number, _scenario(run).blocks or AMPLE_BLOCKS, cost) for number in range(REPLICAS)]
    share_machine(replicas)
    return World(replicas, AsMeasured(replicas, run), talks).run()


def _compared(run: records.Run, rows: Sequence[Served], talks: Sequence[Conversation]) -> Row:
    front_ms = FRONT_MS.get(run["arm"], ROUTER_MS)
    rows = [row._replace(ttft_ms=row.ttft_ms + front_ms, total_ms=row.total_ms + front_ms) for row in rows]
    window = Window(WARMING_SHARE * run["seconds"], run["seconds"])
    guessed: dict[str, Any] = figures(rows, cacheable_tokens(talks), REPLICAS, window)
    pairs = [(records.at(run["figures"], path), records.at(guessed, path)) for path in COMPARED]
    return run["workload"], run["arm"], run["seed"], pairs


def _workload(run: records.Run) -> Workload:
    return workloads(run["seconds"], run["rate"])[run["workload"]]


def _talks(run: records.Run, writer: Writer) -> list[Conversation]:
    return [script.talk for script in _workload(run).scripts(writer, run["seed"])]


def _scenario(run: records.Run) -> Scenario:
    """vLLM keeps one block of those it is given for itself."""
    workload = _workload(run)
    blocks = run["blocks"] - 1 if run["blocks"] else AMPLE_BLOCKS
    return Scenario(workload.name, workload.shape, REPLICAS, blocks=blocks, one_machine=True)
