"""The simulator against what was measured: the same turns on two replicas that share this machine.

Once with placements of its own, and where the arm says which replica answered, once with the measured ones: then only
the caches and the times are left to compare. What the router, the customers and two replicas do to each other on the
same cores is learned from the runs of one seed and tried on the others.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.live import records
from benchmarks.live.replay import figures_of, scenario_of, talks_of, workload_of
from benchmarks.live.run import WARMING_SHARE
from benchmarks.live.script import Writer
from benchmarks.live.workloads import REPLICAS
from benchmarks.simulation.arms import Arm
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.replica import Job, SimReplica
from benchmarks.simulation.scenarios import AMPLE_BLOCKS, Scenario, share_machine, simulate
from benchmarks.simulation.world import World
from benchmarks.traffic import Conversation
from benchmarks.turns import Served

# vllm-router 0.1.17 finds no text in front of static workers: `cache_aware` goes to the least loaded, as 112 of 116
# turns did that were sent through it to two servers that only answered (the others met a tie). sglang-router's works.
SIMULATED_AS = {"cache_aware": "least_loaded", "sglang_cache_aware": "cache_aware"}

# What the arm itself adds to the first token, by `benchmarks.endpoint_overhead --replica` with one client.
FRONT_MS = {"ours": 2.6, "litellm_session_affinity": 7.4}
ROUTER_MS = 0.9

COMPARED = (("cached_share",), ("ttft_ms", "p50"), ("ttft_ms", "p95"), ("turns_per_s",))

_LEARNED = ("request_ms", "beside", "crowded", "noise")
_ROUNDS = 6
_AT_MOST, _EXACT = 4.0, 0.1  # of `beside` and `crowded`

Pairs = list[tuple[Served, Served]]
Row = tuple[str, str, int, list[tuple[float, float]]]
"""Workload, arm, seed, and (measured, simulated) for each of COMPARED."""


def validate(runs: Iterable[records.Run], cost: Cost, writer: Writer) -> str:
    """A line a run, and the median error of each figure, of all runs and of each workload's; then the same with the
    measured placements. The first workload's first seed is what the machine is learned from, and takes no part, if
    there is anything else."""
    runs = [run for run in runs if not workload_of(run).trouble]
    if not runs:
        return "no runs without trouble"
    workload, seed = runs[0]["workload"], runs[0]["seed"]
    asked = [run for run in runs if (run["workload"], run["seed"]) != (workload, seed)]
    lines = []
    if asked:
        cost = learn([run for run in runs if run not in asked], cost, writer)
        learned = ", ".join(f"{name} {getattr(cost, name):.2f}" for name in _LEARNED)
        lines.append(f"learned from {workload}, seed {seed}: {learned}")
    asked = asked or runs
    own = [own_placements(run, cost, writer) for run in asked]
    lines += ["own placements", report(own)]
    for name in dict.fromkeys(run["workload"] for run in asked):
        lines += [f"{name}: {error}" for error in _errors([row for row in own if row[0] == name])]
        lines.append(f"{name}: {together([run for run in asked if run['workload'] == name], cost, writer)}")
    told = [run for run in asked if is_told(run)]
    if told:
        lines += ["", "measured placements", report([measured_placements(run, cost, writer) for run in told])]
        lines += [cached_tokens(run, cost, writer) for run in told]
    return "\n".join(lines)


def together(runs: Sequence[records.Run], cost: Cost, writer: Writer) -> str:
    """All turns of all runs as one, because a run's 95th percentile is made of five turns."""
    measured = np.concatenate([_ttft_ms(run, records.rows_of(run)) for run in runs])
    simulated = np.concatenate([_ttft_ms(run, _routed(run, cost, talks_of(run, writer))) for run in runs])
    pairs = [(q, *(float(np.percentile(times, q)) for times in (measured, simulated))) for q in (50, 95, 99)]
    said = ", ".join(f"p{q} {truth:.1f} -> {guess:.1f} ms ({guess / truth - 1:+.0%})" for q, truth, guess in pairs)
    return f"first token, all {len(measured)} turns together: {said}"


def _ttft_ms(run: records.Run, rows: Iterable[Served]) -> list[float]:
    return [row.ttft_ms for row in rows if row.due_s >= WARMING_SHARE * run["seconds"] and not row.failed]


def learn(runs: Iterable[records.Run], cost: Cost, writer: Writer) -> Cost:
    """The cost of these runs, each number from what tells of it, right in the middle: what a request takes more than in
    a calibration from turns that met nothing else; how much slower a replica is beside another from the pace of the
    replies that met only the other; how much longer the ways in and out are then from the first tokens of the same.
    The noise is the upper half of the spread of turns that met nothing, because nothing is ever early."""
    played = [(run, talks_of(run, writer)) for run in runs]
    alone, beside = _met(played, cost)
    if not alone or not beside:
        return cost
    pace, late_ms = _ratio(alone), _late_ms(alone)
    low, high = np.percentile([measured.ttft_ms / (guess.ttft_ms + late_ms) for measured, guess in alone], [50, 84])
    cost = replace(cost, request_ms=max(0.0, cost.request_ms + late_ms))
    for _ in range(_ROUNDS):  # half the way each time, because either number changes what tells of the other
        cost = _right(cost, "beside", lambda each: _ratio(_met(played, each)[1]) - pace)
        cost = _right(cost, "crowded", lambda each: _late_ms(_met(played, each)[1]))
    return replace(cost, noise=float(np.log(high / low)))


def _right(cost: Cost, name: str, error: Callable[[Cost], float]) -> Cost:
    """Half way to where `error` is nought, which is positive while the value is too small; by bisection."""
    low, high = 1.0, _AT_MOST
    while high - low > _EXACT:
        middle = (low + high) / 2
        low, high = (middle, high) if error(replace(cost, **{name: middle})) > 0 else (low, middle)
    return replace(cost, **{name: (getattr(cost, name) + (low + high) / 2) / 2})


def _met(played: Iterable[tuple[records.Run, Sequence[Conversation]]], cost: Cost) -> tuple[Pairs, Pairs]:
    """(measured, simulated), of turns that met nothing and of those that met only the other replica."""
    alone, beside = [], []
    for run, talks in played:
        rows = records.rows_of(run)
        simulated = {(row.conversation, row.index): row for row in _simulated(run, cost, talks)}
        where = {key: row.replica for key, row in simulated.items()}
        for row in rows:
            guess = simulated[row.conversation, row.index]
            if row.failed or row.cached_tokens != guess.cached_tokens:
                continue
            met = {each.replica or where[each.conversation, each.index] for each in rows if _overlap(row, each)}
            if (row.replica or guess.replica) not in met:
                (beside if met else alone).append((row, guess))
    return alone, beside


def _late_ms(pairs: Pairs) -> float:
    return float(np.median([measured.ttft_ms - guess.ttft_ms for measured, guess in pairs]))


def _ratio(pairs: Pairs) -> float:
    """Of the times that the rest of a reply took."""
    return float(np.median([(m.total_ms - m.ttft_ms) / (g.total_ms - g.ttft_ms) for m, g in pairs]))


def _overlap(row: Served, other: Served) -> bool:
    """Whether the other turn was being served while this one waited for its first token."""
    if (row.conversation, row.index) == (other.conversation, other.index):
        return False
    return other.due_s < row.due_s + row.ttft_ms / 1000 and row.due_s < other.due_s + other.total_ms / 1000


def own_placements(run: records.Run, cost: Cost, writer: Writer) -> Row:
    talks = talks_of(run, writer)
    return _compared(run, _routed(run, cost, talks), talks)


def measured_placements(run: records.Run, cost: Cost, writer: Writer) -> Row:
    talks = talks_of(run, writer)
    return _compared(run, _as_measured(run, cost, talks), talks)


def cached_tokens(run: records.Run, cost: Cost, writer: Writer) -> str:
    """By turn, with the same placements."""
    measured = {(row.conversation, row.index): row.cached_tokens for row in records.rows_of(run)}
    simulated = _as_measured(run, cost, talks_of(run, writer))
    same = sum(row.cached_tokens == measured[row.conversation, row.index] for row in simulated)
    guess, truth = sum(row.cached_tokens for row in simulated), sum(measured.values())
    return (
        f"{run['workload']:<12}{run['arm']:<28}seed {run['seed']:<3}cached tokens {truth} -> {guess} "
        f"({guess / truth - 1:+.1%}), {same} of {len(measured)} turns exactly"
    )


def report(found: Sequence[Row]) -> str:
    """A line a run, then the median error of each figure."""
    names = [" ".join(path) for path in COMPARED]
    lines = [f"{'':<48}" + "".join(f"{name:>26}" for name in names)]
    for workload, arm, seed, pairs in found:
        cells = "".join(f"{f'{m:.4g} -> {s:.4g} ({s / m - 1:+.0%})':>26}" for m, s in pairs)
        lines.append(f"{workload:<12}{arm:<28}seed {seed:<3}{cells}")
    return "\n".join(lines + _errors(found))


def _errors(found: Sequence[Row]) -> list[str]:
    said = []
    for number, path in enumerate(COMPARED):
        misses = sorted(abs(pairs[number][1] / pairs[number][0] - 1) for *_, pairs in found)
        said.append(f"median error of {' '.join(path)}: {misses[len(misses) // 2]:.1%}, worst {misses[-1]:.1%}")
    return said


def is_told(run: records.Run) -> bool:
    """Whether every turn was served and says where."""
    return not any(row.failed or not row.replica for row in records.rows_of(run))


class AsMeasured(Arm):
    """Sends each turn where it went in the run: what is left to compare is the cache alone."""

    name = "as measured"

    def __init__(self, replicas: Sequence[SimReplica], run: records.Run) -> None:
        super().__init__(replicas, range(len(replicas)), random.Random(0))
        self._went = {(row.conversation, row.index): int(row.replica[1:]) for row in records.rows_of(run)}

    def pick(self, job: Job, usable: Sequence[int]) -> int:
        return self._went[job.talk.id, job.index + 1]


def _simulated(run: records.Run, cost: Cost, talks: Sequence[Conversation]) -> list[Served]:
    return _as_measured(run, cost, talks) if is_told(run) else _routed(run, cost, talks)


def _routed(run: records.Run, cost: Cost, talks: Sequence[Conversation]) -> list[Served]:
    arm = SIMULATED_AS.get(run["arm"], run["arm"])
    return _behind(run, simulate(_scenario(run), arm, run["seed"], cost, talks))


def _as_measured(run: records.Run, cost: Cost, talks: Sequence[Conversation]) -> list[Served]:
    replicas = [SimReplica(number, _scenario(run).blocks or AMPLE_BLOCKS, cost) for number in range(REPLICAS)]
    share_machine(replicas)
    return _behind(run, World(replicas, AsMeasured(replicas, run), talks).run())


def _behind(run: records.Run, rows: Iterable[Served]) -> list[Served]:
    """With what the arm adds itself."""
    front_ms = FRONT_MS.get(run["arm"], ROUTER_MS)
    return [row._replace(ttft_ms=row.ttft_ms + front_ms, total_ms=row.total_ms + front_ms) for row in rows]


def _compared(run: records.Run, rows: Sequence[Served], talks: Sequence[Conversation]) -> Row:
    guessed = figures_of(run, rows, talks)
    pairs = [(records.at(run["figures"], path), records.at(guessed, path)) for path in COMPARED]
    return run["workload"], run["arm"], run["seed"], pairs


def _scenario(run: records.Run) -> Scenario:
    return replace(scenario_of(run), one_machine=True)
