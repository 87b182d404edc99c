from dataclasses import replace

import pytest

from benchmarks.live.records import Run
from benchmarks.live.script import Writer
from benchmarks.live.workloads import workloads
from benchmarks.simulation import validate
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.scenarios import Scenario, simulate
from benchmarks.traffic import cacheable_tokens
from benchmarks.turns import Window, figures

COST = Cost(request_ms=7, step_ms=6, prefill_ms=0.15, attention_ms=0.05, decode_ms=0.2, beside=1.5)
BLOCKS, SECONDS = 80, 20.0


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer()


def run_of(arm: str, writer: Writer, cost: Cost = COST, seed: int = 1) -> Run:
    """What the simulator says, in the shape of a measured run behind an arm that takes time itself."""
    workload = workloads(SECONDS, 0.7)["many-3"]
    talks = [script.talk for script in workload.scripts(writer, seed)]
    scenario = Scenario("x", workload.shape, 2, blocks=BLOCKS - 1, one_machine=True)
    front_ms = validate.FRONT_MS.get(arm, validate.ROUTER_MS)
    simulated = simulate(scenario, validate.SIMULATED_AS.get(arm, arm), seed, cost, talks)
    rows = [row._replace(ttft_ms=row.ttft_ms + front_ms, total_ms=row.total_ms + front_ms) for row in simulated]
    found = figures(rows, cacheable_tokens(talks), 2, Window(0.2 * SECONDS, SECONDS))
    about = {"workload": "many-3", "arm": arm, "seed": seed, "seconds": SECONDS, "rate": 0.7, "blocks": BLOCKS}
    return about | {"rows": [list(row) for row in rows], "figures": found}


@pytest.mark.parametrize("arm", ["ours", "sticky_least_loaded", "cache_aware"])
def test_a_run_that_the_simulator_made_is_predicted_exactly(arm: str, writer: Writer) -> None:
    run = run_of(arm, writer)
    for compared in (validate.own_placements, validate.measured_placements):
        *about, pairs = compared(run, COST, writer)
        assert about == ["many-3", arm, 1]
        assert all(measured == pytest.approx(simulated) for measured, simulated in pairs)
    check = validate.cached_tokens(run, COST, writer)
    assert "+0.0%" in check and f"{len(run['rows'])} of {len(run['rows'])} turns exactly" in check


def test_another_machine_is_not_predicted(writer: Writer) -> None:
    run = run_of("ours", writer)
    *_, pairs = validate.measured_placements(run, Cost(7, 6, 0.15, 0.05, 0.2), writer)
    median_measured, median_simulated = pairs[1]
    assert median_simulated < median_measured


def test_placements_that_nobody_told_are_left_out(writer: Writer) -> None:
    run = run_of("random", writer)
    assert validate.validate([run], COST, writer).count("random") == 3
    run["rows"] = [[*row[:3], "", *row[4:]] for row in run["rows"]]
    assert validate.validate([run], COST, writer).count("random") == 1


def test_what_the_machine_does_is_learned_from_one_seed_and_tried_on_the_other(writer: Writer) -> None:
    true = replace(COST, request_ms=12, beside=1.8, crowded=2.5, noise=0.05)
    runs = [run_of(arm, writer, true, seed) for arm in ("ours", "sticky_least_loaded") for seed in (1, 2)]
    learned = validate.learn(runs[::2], COST, writer)
    assert learned.request_ms == pytest.approx(true.request_ms, rel=0.1)
    assert learned.beside == pytest.approx(true.beside, rel=0.15)
    assert learned.crowded == pytest.approx(true.crowded, abs=0.5)
    assert 0.02 < learned.noise < 0.15
    said = validate.validate(runs, COST, writer)
    assert "learned from many-3, seed 1" in said and "seed 2" in said and said.count("seed 1") == 1
    assert "all" in validate.together(runs, true, writer) and "(+0%)" in validate.together(runs, true, writer)
