from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backend.placement import Ahead, Pin, Placement, Ranking, ReplicaState, Snapshot, Used
from backend.routing import Fate, Job, Policy, PolicySettings

READY = ReplicaState.READY
BRAND = Ahead("brand", 512, 600)


def ready(count: int = 2) -> list[Snapshot]:
    return [Snapshot(f"r{number}", "", READY, "monday") for number in range(count)]


@pytest.fixture
def policy() -> Policy:
    """A policy that has learned a machine of 1 ms a token, with an empty cache of 10,000 tokens on each replica."""
    policy = Policy()
    for new_tokens in (50, 600, 2000) * 30:
        policy.prefill.learn(20 + new_tokens, new_tokens, 0, 0)
    for replica in ready(4):
        policy.observe(replica.id, "monday", 0, 0, 10_000)
    return policy


def serve(policy: Policy, ahead: Ahead, replicas: list[Snapshot], now_s: float = 1, cached: int = 0) -> Ranking:
    """One turn, from its placement to its end."""
    ranking = policy.rank(ahead, replicas, now_s)
    job = policy.begin(ranking.order[0], ahead, ranking, now_s)
    first_s = now_s + (20 + ahead.prompt_tokens - cached) / 1000
    policy.first_token(job, first_s)
    policy.end(job, first_s + 0.4, Used(ahead.prompt_tokens, cached, 40))
    return ranking


def test_a_second_conversation_of_a_brand_goes_where_its_prefix_is(policy: Policy) -> None:
    first = serve(policy, BRAND, ready())
    again = policy.rank(BRAND, ready(), 2)
    assert again.order[0] == first.order[0]
    assert again.candidates[0].cached_tokens == 512
    assert again.candidates[1].cached_tokens == 0


def test_a_burst_spreads_when_waiting_costs_more_than_the_prefix(policy: Policy) -> None:
    serve(policy, BRAND, ready())
    chosen = []
    for _ in range(20):  # at one moment, before anything is done
        ranking = policy.rank(BRAND, ready(), 2)
        policy.begin(ranking.order[0], BRAND, ranking, 2)
        chosen.append(ranking.order[0])
    assert {chosen.count("r0"), chosen.count("r1")} <= set(range(6, 15))


def test_ties_go_to_the_least_recently_chosen(policy: Policy) -> None:
    first = [serve(policy, replace(BRAND, brand=f"brand {n}"), ready(), 2 * n).order[0] for n in range(6)]
    assert first == ["r0", "r1"] * 3


def test_what_is_in_flight_is_counted_until_it_ends(policy: Policy) -> None:
    ranking = policy.rank(BRAND, ready(), 1)
    job = policy.begin("r0", BRAND, ranking, 1)
    assert policy.view(ready()[0], 1).inflight == 1
    waiting = next(each for each in policy.rank(BRAND, ready(), 1).candidates if each.replica_id == "r0")
    assert waiting.wait_ms == pytest.approx(620, rel=0.2)
    policy.first_token(job, 1.7)
    assert next(c for c in policy.rank(BRAND, ready(), 2).candidates if c.replica_id == "r0").wait_ms == 0
    policy.end(job, 2, None)
    policy.end(job, 2, None)
    assert policy.view(ready()[0], 2).inflight == 0


def test_a_pinned_conversation_stays_at_moderate_load_and_leaves_a_queue(policy: Policy) -> None:
    pinned = replace(BRAND, prompt_tokens=700, pin=Pin("r0", "monday", 640, "brand", idle_s=5))
    waiting = Ahead("other", 0, 300)
    reasons = []
    for _ in range(6):
        reasons.append(policy.rank(pinned, ready(), 1).reason)
        policy.begin("r0", waiting, Ranking(("r0",), Placement.PLACED), 1)
    assert reasons[:2] == [Placement.PINNED, Placement.PINNED]
    assert reasons[-1] is Placement.MOVED_LOAD


def test_moves_for_load_are_capped(policy: Policy) -> None:
    pinned = replace(BRAND, prompt_tokens=700, pin=Pin("r0", "monday", 640, "brand", idle_s=5))
    for _ in range(40):
        policy.begin("r0", Ahead("other", 0, 200), Ranking(("r0",), Placement.PLACED), 1)
    moved = 0
    for _ in range(12):
        ranking = policy.rank(pinned, ready(8), 1)
        moved += ranking.reason is Placement.MOVED_LOAD
        job = policy.begin(ranking.order[0], pinned, ranking, 1)
        policy.end(job, 1, None)
    assert moved == PolicySettings().moves_at_once
    assert policy.rank(pinned, ready(8), 3).reason is Placement.MOVED_LOAD, "later they may again"


def test_a_prefix_is_gone_when_the_cache_was_written_over(policy: Policy) -> None:
    home = serve(policy, BRAND, ready()).order[0]
    pinned = replace(BRAND, prompt_tokens=700, pin=Pin(home, "monday", 640, "brand", idle_s=50))
    assert policy.rank(pinned, ready(), 51).reason is Placement.PINNED
    for now_s in range(2, 30):
        serve(policy, Ahead(f"brand {now_s}", 500, 900, key=str(now_s)), [ready()[int(home[1])]], now_s)
    ranking = policy.rank(pinned, ready(), 51)
    assert ranking.reason is Placement.COLD
    assert [candidate.cached_tokens for candidate in ranking.candidates] == [0, 0], "the brand's prefix as well"


def test_a_prefix_is_gone_as_soon_as_turns_in_flight_need_its_room(policy: Policy) -> None:
    home = serve(policy, replace(BRAND, key="mine"), ready()).order[0]
    pinned = replace(BRAND, prompt_tokens=700, pin=Pin(home, "monday", 640, "brand", idle_s=1), key="mine")
    for number in range(4):
        assert policy.rank(pinned, ready(), 3).reason is not Placement.COLD
        other = Ahead(f"brand {number}", 500, 2450, key=str(number))
        policy.begin(home, other, Ranking((home,), Placement.PLACED), 3)
    assert policy.rank(pinned, ready(), 3).reason is Placement.COLD


def test_a_turn_that_never_had_an_answer_takes_no_room(policy: Policy) -> None:
    home = serve(policy, replace(BRAND, key="mine"), ready()).order[0]
    pinned = replace(BRAND, prompt_tokens=700, pin=Pin(home, "monday", 640, "brand", idle_s=1), key="mine")
    for number in range(40):
        other = Ahead(f"brand {number}", 500, 2450, key=str(number))
        policy.end(policy.begin(home, other, Ranking((home,), Placement.PLACED), 3), 3, None)
    assert policy.view(ready()[0], 3).evict_after_s is None
    assert policy.rank(pinned, ready(), 3).reason is Placement.PINNED


def test_the_brand_of_a_turn_in_flight_is_there_however_full_the_cache(policy: Policy) -> None:
    policy.begin("r0", BRAND, Ranking(("r0",), Placement.PLACED), 1)
    for now_s in range(2, 30):
        serve(policy, Ahead(f"brand {now_s}", 500, 900, key=str(now_s)), ready(1), now_s)
    assert policy.view(ready()[0], 30).evict_after_s < 29
    assert policy.holds_brand(ready()[0], "brand", 30)


def test_the_last_prefix_that_had_to_go_is_gone(policy: Policy) -> None:
    for now_s in range(1, 30):
        serve(policy, Ahead("", 0, 960, key=str(now_s)), ready(1), now_s)
    view, noted_s = policy.view(ready()[0], 40), 0.02  # after its end the turn is stored, and the pin with it
    ended_s = [now_s + (20 + 960) / 1000 + 0.4 for now_s in range(1, 30)]
    pins = [Pin("r0", "monday", 960, idle_s=40 - at_s - noted_s) for at_s in ended_s]
    kept = [policy.worth(Ahead("", 0, 1000, pin), [view]).fate is Fate.KEPT for pin in pins]
    assert kept == [False] * 19 + [True] * 10, "ten of 1,000 tokens are all that 10,000 can hold"


def test_prefixes_that_were_expected_and_missing_make_the_cache_smaller(policy: Policy) -> None:
    for now_s in range(100):
        serve(policy, Ahead(f"brand {now_s}", 500, 900, key=str(now_s)), ready(1), now_s)
    before = policy.view(ready()[0], 100).evict_after_s
    pinned = replace(BRAND, prompt_tokens=2000, pin=Pin("r0", "monday", 1900, "brand", idle_s=before - 1))
    assert serve(policy, pinned, ready(), 100, cached=0).reason is Placement.PINNED
    assert policy.view(ready()[0], 100).evict_after_s < before


def test_another_boot_holds_nothing(policy: Policy) -> None:
    home = serve(policy, BRAND, ready()).order[0]
    again = [replace(each, boot_id="tuesday") if each.id == home else each for each in ready()]
    assert all(candidate.cached_tokens == 0 for candidate in policy.rank(BRAND, again, 2).candidates)
    policy.observe(home, "tuesday", 2, 0, 10_000)
    assert not policy.holds_brand(again[0] if again[0].id == home else again[1], "brand", 2)


def test_the_brands_prefix_is_as_long_as_the_engine_says(policy: Policy) -> None:
    serve(policy, BRAND, ready())
    serve(policy, BRAND, ready(), cached=448)
    assert policy.rank(BRAND, ready(), 3).candidates[0].cached_tokens == 448


def test_a_full_replica_costs_what_its_queue_takes(policy: Policy) -> None:
    policy.refused("r0", 1)
    for _ in range(8):
        job = policy.begin("r0", BRAND, Ranking(("r0",), Placement.PLACED), 1)
        policy.first_token(job, 1)
    full, idle = sorted(policy.rank(Ahead("other", 0, 100), ready(), 2).candidates, key=lambda each: each.replica_id)
    assert full.wait_ms > 500
    assert idle.wait_ms == 0


def test_a_large_set_uses_the_brands_own_replicas(policy: Policy) -> None:
    chosen = {serve(policy, BRAND, ready(16), now_s).order[0] for now_s in range(1, 30)}
    assert len(chosen) <= 2


def test_what_left_the_set_is_forgotten(policy: Policy) -> None:
    policy.begin("r1", BRAND, Ranking(("r1",), Placement.PLACED), 1)
    policy.forget("r1")
    assert policy.view(ready()[1], 1).inflight == 0


def test_while_caches_are_full_a_brand_has_one_replica_and_a_copy_costs_what_it_evicts(policy: Policy) -> None:
    brands = [replace(BRAND, brand=f"brand {number}", key=str(number)) for number in range(60)]
    for number, ahead in enumerate(brands):
        serve(policy, ahead, ready(), 10 + number)
    assert policy.view(ready()[0], 70).evict_after_s is not None
    newcomer = policy.rank(replace(BRAND, brand="another"), ready(), 70)
    assert [candidate.is_member for candidate in newcomer.candidates] == [True, False]
    computed_ms = newcomer.candidates[0].cost_ms - newcomer.candidates[0].wait_ms
    assert computed_ms == pytest.approx(2 * policy.prefill.ms(newcomer.candidates[0].new_tokens, 0, 0))


def test_a_new_replica_takes_what_is_new_and_cold_and_no_storm_of_pinned_conversations(policy: Policy) -> None:
    for replica in ready(3):
        policy.warmed(replica.id, "brand", 0)
    pinned = [
        replace(BRAND, prompt_tokens=900, pin=Pin(f"r{n % 2}", "monday", 864, "brand", idle_s=30), key=f"c{n}")
        for n in range(12)
    ]
    for each in pinned[:4]:
        policy.begin(each.pin.replica_id, each, policy.rank(each, ready(2), 1), 1)
    stay = [policy.rank(each, ready(3), 2) for each in pinned[4:]]
    assert [each.reason for each in stay] == [Placement.PINNED] * 8
    assert policy.rank(BRAND, ready(3), 2).order[0] == "r2", "new"
    cold = replace(pinned[5], pin=replace(pinned[5].pin, boot_id="sunday"))
    assert policy.rank(cold, ready(3), 2).order[0] == "r2", "cold"


def test_the_limit_grows_in_every_process_when_all_of_them_fill_the_replica(policy: Policy) -> None:
    policy.observe("r0", "monday", 1, 0, 10_000, elsewhere=5)
    before = policy.limit("r0").limit
    for now_s in range(2, 12):
        job = policy.begin("r0", BRAND, Ranking(("r0",), Placement.PLACED), now_s)
        policy.first_token(job, now_s + 0.1)
        policy.end(job, now_s + 0.2, Used(600, 512, 10))
    assert policy.limit("r0").limit == before, "one of ours and five of others do not fill eight places"
    policy.observe("r0", "monday", 12, 0, 10_000, elsewhere=7)
    job = policy.begin("r0", BRAND, Ranking(("r0",), Placement.PLACED), 12)
    policy.first_token(job, 12.1)
    policy.end(job, 12.2, Used(600, 512, 10))
    assert policy.limit("r0").limit > before


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order, the policy's books are right."""

    def __init__(self) -> None:
        super().__init__()
        self.policy, self.now_s, self.boots = Policy(), 0.0, dict.fromkeys(("r0", "r1", "r2"), 0)
        self.open: list[Job] = []

    def replicas(self) -> list[Snapshot]:
        return [Snapshot(key, "", READY, str(boot)) for key, boot in self.boots.items()]

    @rule(brand=st.sampled_from("ab"), home=st.sampled_from(["r0", "r1", "r2", "gone"]), held=st.integers(0, 4000))
    def a_turn_begins(self, brand: str, home: str, held: int) -> None:
        pin = Pin(home, str(self.boots.get(home, 0)), held, brand, idle_s=3) if held else None
        ahead = Ahead(brand, 500, max(600, held + 50), pin, key=f"{brand}{home}")
        ranking = self.policy.rank(ahead, self.replicas(), self.now_s)
        assert sorted(ranking.order) == sorted(self.boots)
        assert all(0 <= each.wait_ms <= each.cost_ms and each.new_tokens > 0 for each in ranking.candidates)
        self.open.append(self.policy.begin(ranking.order[0], ahead, ranking, self.now_s))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), ends=st.booleans(), cached=st.integers(0, 600))
    def a_turn_goes_on(self, data: st.DataObject, ends: bool, cached: int) -> None:
        job = data.draw(st.sampled_from(self.open))
        self.policy.first_token(job, self.now_s)
        if ends:
            self.policy.end(job, self.now_s, Used(620, cached, 30))
            self.open.remove(job)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def a_turn_fails(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.open))
        self.policy.end(job, self.now_s, None)
        self.open.remove(job)

    @rule(key=st.sampled_from(["r0", "r1", "r2"]), boots=st.booleans(), served=st.integers(0, 100_000))
    def a_poll(self, key: str, boots: bool, served: int) -> None:
        self.boots[key] += boots
        self.policy.observe(key, str(self.boots[key]), self.now_s, served, 4000)

    @rule(seconds=st.floats(0.01, 100))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @invariant()
    def what_is_in_flight_is_what_was_begun_and_has_not_ended(self) -> None:
        for replica in self.replicas():
            view = self.policy.view(replica, self.now_s)
            assert view.inflight == sum(job.replica_id == replica.id for job in self.open)
            assert view.limit >= 1
            assert view.evict_after_s is None or view.evict_after_s >= 0
            seen = self.policy._of(replica.id)
            here = [job for job in self.open if job.replica_id == replica.id and job.boot_id == seen.boot_id]
            assert sum(seen.mirror._running.values()) == 2 * len(here), "each needs its brand's prefix and its own"


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)
