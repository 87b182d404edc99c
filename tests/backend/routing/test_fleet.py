"""A large fleet: not all replicas are looked at, and nothing is lost by that."""

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backend.placement import Ahead, Candidate, Pin, Placement, Ranking, ReplicaState, Snapshot, Used
from backend.routing import Policy, PrefillModel, Rules
from backend.routing.decide import TIERS

FLEET = 40
BRANDS = "abcdef"
NOW_S = 10.0
STATES = st.sampled_from([ReplicaState.READY] * 6 + [ReplicaState.DRAINING, ReplicaState.SUSPECT, ReplicaState.DOWN])
WORK = st.tuples(
    st.integers(0, FLEET - 1), st.sampled_from(BRANDS), st.sampled_from(["prefilling", "decoding", "done"])
)


@dataclass
class Scene:
    """A fleet at work, and a request with or without a pin."""

    policy: Policy
    replicas: list[Snapshot]
    ahead: Ahead
    excluded: frozenset[str]

    def rank(self) -> Ranking:
        return self.policy.rank(self.ahead, self.replicas, NOW_S, self.excluded)

    def rank_whole(self) -> Ranking:
        with looking_at_all():
            return self.rank()

    @property
    def ready(self) -> set[str]:
        return {each.id for each in self.replicas if each.state is ReplicaState.READY} - self.excluded


@contextmanager
def looking_at_all() -> Iterator[None]:
    with mock.patch("backend.routing.policy._SMALL_FLEET", FLEET):
        yield


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    policy = Policy()
    for new_tokens in (50, 600, 2000) * 30:
        policy.prefill.learn(20 + new_tokens, new_tokens, 0, 0)
    states = draw(st.lists(STATES, min_size=FLEET, max_size=FLEET))
    replicas = [Snapshot(f"r{number}", "", state, "monday") for number, state in enumerate(states)]
    for replica in replicas:
        policy.observe(replica.id, "monday", 0, 0, 0)
    for number, brand, stage in draw(st.lists(WORK, max_size=150)):
        job = policy.begin(f"r{number}", Ahead(brand, 512, 600), Ranking((f"r{number}",), Placement.PLACED), NOW_S - 1)
        if stage != "prefilling":
            policy.first_token(job, NOW_S - 0.5)
        if stage == "done":
            policy.end(job, NOW_S - 0.2, Used(600, 0, 20))
    home = draw(st.none() | st.integers(0, FLEET - 1))
    pin = None if home is None else Pin(f"r{home}", "monday", 600, "a", idle_s=1)
    ahead = Ahead(draw(st.sampled_from(BRANDS)), 512, 700, pin, key="one")
    failed = draw(st.sets(st.integers(0, FLEET - 1), max_size=2))
    return Scene(policy, replicas, ahead, frozenset(f"r{number}" for number in failed))


def weighed_ms(candidate: Candidate) -> float:
    """Its cost as `decide` compares it."""
    rules = Rules()
    outside_ms = rules.outside_ms + rules.outside_share * candidate.cost_ms
    return candidate.cost_ms + (0 if candidate.is_member else outside_ms)


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_the_first_choice_costs_no_more_than_that_of_the_whole_fleet(scene: Scene) -> None:
    short, whole = scene.rank(), scene.rank_whole()
    if whole.reason in (Placement.PINNED, Placement.MOVED_DRAIN):
        assert short.reason is whole.reason
    if whole.order and whole.order[0] in scene.ready:
        ours, best = short.candidates[0], whole.candidates[0]
        assert weighed_ms(ours) <= weighed_ms(best) + 1.1 * Rules().tie_ms


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_who_is_looked_at_is_seen_as_in_the_whole_fleet(scene: Scene) -> None:
    short, whole = scene.rank(), scene.rank_whole()
    assert bool(short.order) == bool(whole.order)
    costs = {each.replica_id: each for each in whole.candidates}
    assert all(costs[each.replica_id] == each for each in short.candidates)
    assert [each for each in whole.order if each in set(short.order)] == list(short.order)


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_the_pins_replica_and_the_brands_set_are_always_looked_at(scene: Scene) -> None:
    short = scene.rank()
    members = {each.replica_id for each in scene.rank_whole().candidates if each.is_member}
    assert members & scene.ready <= set(short.order)
    if scene.ahead.pin and scene.ahead.pin.replica_id in scene.ready:
        assert scene.ahead.pin.replica_id in short.order
    if len(scene.ready) > 20 + len(members):
        assert len(short.order) < len(scene.ready), "else it is no short list"


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_the_short_list_is_the_least_loaded_of_all_and_of_those_that_hold_the_brand(scene: Scene) -> None:
    """As it is defined, in the plainest way; the policy does it with one sorting."""
    policy, brand = scene.policy, scene.ahead.brand
    ready = [each for each in scene.replicas if each.id in scene.ready]
    assume(len(ready) > 16)
    holders = [each for each in ready if policy.holds_brand(each, brand, NOW_S)]
    wanted = set(policy.brands.members(brand, [each.id for each in ready], NOW_S))
    wanted |= {scene.ahead.pin.replica_id} if scene.ahead.pin else set()
    for some in (holders, ready):
        wanted |= {each.id for each in heapq.nsmallest(8, some, key=lambda each: policy._burden(each, NOW_S))}
    usable = scene.ready | {each.id for each in scene.replicas if each.state in TIERS}
    assert {each.replica_id for each in scene.rank().candidates} == (wanted & usable) - scene.excluded


def test_an_empty_prompt_costs_the_same_either_way() -> None:
    model = PrefillModel()
    for took_ms in (80.0, 500.0, 900.0) * 10:
        model.learn(took_ms, 500, 100, 3, "slow")
    for decoding in range(5):
        assert model.empty_ms(decoding, "slow") == model.ms(0, 0, decoding, "slow")
