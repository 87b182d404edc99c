import pytest

from benchmarks.live import replay
from benchmarks.live.records import Run
from benchmarks.live.script import Writer
from benchmarks.live.workloads import workloads
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.scenarios import Scenario, simulate

COST = Cost(request_ms=7, step_ms=6, prefill_ms=0.15, attention_ms=0.05, decode_ms=0.2)
BLOCKS = 80


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer()


def run_of(arm: str, writer: Writer, name: str = "many-3", processes: int = 1) -> Run:
    """What the simulator says, in the shape of a measured run; vLLM keeps one of the blocks it is given."""
    workload = workloads(20.0, 0.7)[name]
    talks = [script.talk for script in workload.scripts(writer, 1)]
    rows = simulate(Scenario("x", workload.shape, 2, blocks=BLOCKS - 1, processes=processes), arm, 1, COST, talks)
    about = {"workload": name, "arm": arm, "seed": 1, "seconds": 20.0, "rate": 0.7, "blocks": BLOCKS}
    return about | {"rows": [list(row) for row in rows], "figures": {}}


def test_the_oracle_is_simulated_once_for_each_measured_case(writer: Writer) -> None:
    runs = [run_of(arm, writer) for arm in ("ours", "random")]
    [oracle] = replay.oracle_runs(runs, COST, writer)
    best = max(replay.replay(run, run["arm"], COST, writer)["cached_share"] for run in runs)
    assert oracle["arm"] == "oracle" and oracle["figures"]["cached_share"] >= best


def test_two_processes_are_simulated_as_two(writer: Writer) -> None:
    run = run_of("sticky_least_loaded", writer, "two-web", processes=2)
    moved = sum(row[-2] for row in run["rows"])
    assert moved > 0, "neither knows where the other has sent a conversation"
    rows = simulate(replay.scenario_of(run), run["arm"], 1, COST, replay.talks_of(run, writer))
    assert sum(row.moved for row in rows) == moved
    [oracle] = replay.oracle_runs([run], COST, writer)
    assert oracle["figures"]["cached_share"] >= replay.replay(run, run["arm"], COST, writer)["cached_share"]


def test_no_oracle_knows_of_the_replica_that_joins(writer: Writer) -> None:
    assert not list(replay.oracle_runs([run_of("ours", writer, "scale")], COST, writer))
