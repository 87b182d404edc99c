from dataclasses import replace

import pytest

from benchmarks.simulation.cost import Cost
from benchmarks.simulation.scenarios import ARMS, Scenario, capacity_blocks, scenarios, simulate
from benchmarks.traffic import Shape, cacheable_tokens, conversations
from benchmarks.turns import figures

COST = Cost(request_ms=12, step_ms=5, prefill_ms=0.25, attention_ms=0.15, decode_ms=2)
SHAPE = Shape(conversations_per_s=0.9, seconds=120, brands=20, think_median_s=8)
SCENARIOS = {scenario.name: scenario for scenario in scenarios(2, SHAPE)}


def cached_share(scenario: Scenario, arm: str, seed: int = 1) -> float:
    talks = conversations(scenario.shape, seed)
    rows = simulate(scenario, arm, seed, COST, talks)
    return figures(rows, cacheable_tokens(talks), scenario.replicas)["cached_share"]


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("arm", ARMS)
def test_every_turn_ends_once_with_no_more_cached_than_was_asked_for(name: str, arm: str) -> None:
    talks = conversations(SCENARIOS[name].shape, 1)
    rows = simulate(SCENARIOS[name], arm, 1, COST, talks)
    asked = {(talk.id, index + 1): tokens for talk in talks for index, tokens in enumerate(talk.prompt_tokens)}
    assert len(rows) == len(asked)
    assert {(row.conversation, row.index): row.prompt_tokens for row in rows} == asked
    assert all(0 <= row.cached_tokens < row.prompt_tokens for row in rows)
    assert all(0 < row.ttft_ms <= row.total_ms for row in rows if not row.failed)


@pytest.mark.parametrize("kv_demand", [0.5, 1.0, 3.0])
def test_nobody_reads_more_from_the_cache_than_the_oracle(kv_demand: float) -> None:
    scenario = SCENARIOS[f"many brands, KV {kv_demand:g}"]
    limit = cached_share(scenario, "oracle")
    assert limit > 0.7
    for arm in ARMS:
        assert cached_share(scenario, arm) <= limit + 1e-9, arm


@pytest.mark.parametrize("arm", ARMS)
def test_the_same_seed_gives_the_same_run(arm: str) -> None:
    scenario = SCENARIOS["many brands, KV 3"]
    assert simulate(scenario, arm, 5, COST) == simulate(scenario, arm, 5, COST)
    assert simulate(scenario, arm, 5, COST) != simulate(scenario, arm, 6, COST)


def test_all_arms_get_the_same_turns_and_pinned_ones_never_move() -> None:
    scenario = SCENARIOS["many brands, KV 1"]
    runs = {arm: simulate(scenario, arm, 1, COST) for arm in ("round_robin", "consistent_hash")}
    asked = [{(row.conversation, row.index, row.prompt_tokens) for row in rows} for rows in runs.values()]
    assert asked[0] == asked[1]
    assert sum(row.moved for row in runs["round_robin"]) > 100
    assert not any(row.moved for row in runs["consistent_hash"])


@pytest.mark.parametrize("name", ["replica killed", "restarted", "drain"])
def test_ours_loses_no_turn_when_a_replica_goes(name: str) -> None:
    assert not [row for row in simulate(SCENARIOS[name], "ours", 1, COST) if row.failed]


def test_a_replica_that_joins_is_used() -> None:
    rows = simulate(SCENARIOS["scale up"], "ours", 1, COST)
    assert {row.replica for row in rows} == {"r0", "r1", "r2"}


def test_a_smaller_demand_means_a_larger_cache() -> None:
    talks = conversations(SHAPE, 1)
    scenario = SCENARIOS["many brands, KV 1"]
    sizes = [capacity_blocks(replace(scenario, kv_demand=demand), talks) for demand in (0.5, 1.0, 3.0)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] >= 2 * sizes[1] - 1


@pytest.mark.parametrize("arm", ["ours", "round_robin"])
def test_on_a_crowded_machine_words_come_later_and_none_is_lost_on_its_way(arm: str) -> None:
    scenario = replace(SCENARIOS["restarted"], one_machine=True, shape=replace(SHAPE, reply_tokens=2))
    talks = conversations(scenario.shape, 1)
    empty, crowded = (simulate(scenario, arm, 1, replace(COST, crowded=by), talks) for by in (1.0, 4.0))
    assert len(crowded) == len(empty) == sum(len(talk.due_s) for talk in talks)
    assert all(0 < row.ttft_ms <= row.total_ms for row in crowded if not row.failed)
    assert sum(row.failed for row in crowded) <= 3
    mean_ms = [sum(row.ttft_ms for row in rows if not row.failed) / len(rows) for rows in (empty, crowded)]
    assert mean_ms[0] < mean_ms[1] < mean_ms[0] + 100
