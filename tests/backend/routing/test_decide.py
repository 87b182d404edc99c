from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from backend.placement import Ahead, Candidate, Pin, Placement, Ranking, ReplicaState, Snapshot
from backend.routing.decide import Rules, decide, usable
from backend.routing.worth import Fate, worth

IDS = [f"r{number}" for number in range(5)]
BOOTS = ["monday", "tuesday"]
READY = ReplicaState.READY
RULES = Rules()

SNAPSHOTS = st.builds(
    Snapshot,
    id=st.just(""),
    url=st.just("http://replica"),
    state=st.sampled_from(ReplicaState),
    boot_id=st.sampled_from(BOOTS),
    inflight=st.integers(0, 3),
    elsewhere=st.integers(0, 2),
    last_chosen=st.integers(0, 4),
    evict_after_s=st.none() | st.just(60.0),
)
PINS = st.builds(
    Pin,
    st.sampled_from(IDS),
    st.sampled_from(BOOTS),
    held_tokens=st.integers(0, 2000),
    brand=st.sampled_from([None, "brand", "other"]),
    misses=st.integers(0, 2),
    idle_s=st.sampled_from([1.0, 90.0]),
)
AHEADS = st.builds(
    Ahead,
    brand=st.just("brand"),
    brand_tokens=st.just(500),
    prompt_tokens=st.integers(500, 3000),
    pin=st.none() | PINS,
    continues=st.booleans(),
    released=st.booleans(),
)
EXCLUDED = st.frozensets(st.sampled_from(IDS))


class Scene:
    """A request and the replicas it may go to, with what it would cost on each."""

    def __init__(
        self, ahead: Ahead, replicas: list[Snapshot], costs: dict[str, Candidate], excluded: frozenset
    ) -> None:
        self.ahead, self.replicas, self.costs, self.excluded = ahead, replicas, costs, excluded
        self.by_id = {replica.id: replica for replica in replicas}
        self.home = self.by_id.get(ahead.pin.replica_id) if ahead.pin else None
        self.value = worth(ahead, self.home)
        self.ready = [r for r in usable(replicas, excluded) if r.state is READY]

    def rank(self, *, may_move: bool = True, replicas: list[Snapshot] | None = None) -> Ranking:
        there = self.replicas if replicas is None else replicas
        return decide(
            self.ahead, there, self.costs, self.value, RULES, exclude=self.excluded, may_move=may_move
        )  # fmt: skip

    @property
    def home_serves(self) -> bool:
        """The pin is worth something, where it is ready to be used."""
        return bool(
            self.value.fate is Fate.KEPT
            and self.home
            and self.home.state is READY
            and self.home.id not in self.excluded
        )


@st.composite
def scenes(draw: st.DrawFn, ahead: st.SearchStrategy[Ahead] = AHEADS) -> Scene:
    """Sets of up to five replicas, each in any state and at any price."""
    drawn = draw(st.lists(SNAPSHOTS, max_size=len(IDS)))
    replicas = [replace(replica, id=IDS[index]) for index, replica in enumerate(drawn)]
    costs = {}
    for replica in replicas:
        wait_ms, prefill_ms = draw(st.integers(0, 2000)), draw(st.integers(1, 2000))
        costs[replica.id] = Candidate(
            replica.id, wait_ms + prefill_ms, wait_ms, new_tokens=prefill_ms, is_member=draw(st.booleans())
        )
    return Scene(draw(ahead), draw(st.permutations(replicas)), costs, draw(EXCLUDED))


@given(scenes())
def test_the_order_holds_every_usable_replica_once_with_its_price(scene: Scene) -> None:
    able = {r.id for r in scene.replicas if r.state not in (ReplicaState.DOWN, ReplicaState.STARTING)}
    ranking = scene.rank()
    assert sorted(ranking.order) == sorted(able - scene.excluded or able)
    assert tuple(candidate.replica_id for candidate in ranking.candidates) == ranking.order


@given(scenes())
def test_nothing_worse_than_ready_goes_first_while_one_is_ready(scene: Scene) -> None:
    if scene.ready:
        first = scene.by_id[scene.rank().order[0]]
        warm_home = first == scene.home and first.state is ReplicaState.WARMING and scene.value.fate is Fate.KEPT
        assert first.state is READY or warm_home


@given(scenes())
def test_a_pin_is_kept_while_no_other_replica_is_cheaper_by_the_margin(scene: Scene) -> None:
    if not scene.home_serves:
        return
    home, at_home = scene.home, scene.costs[scene.home.id]
    margin = 0 if scene.ahead.released else max(RULES.margin_ms, RULES.margin_share * at_home.cost_ms)
    gains = [r for r in scene.ready if at_home.cost_ms - scene.costs[r.id].cost_ms > margin]
    if not gains:
        assert scene.rank().order[0] == home.id
        assert scene.rank().reason is Placement.PINNED


@given(scenes())
def test_a_pin_is_left_for_load_only_beyond_the_margin_and_the_band(scene: Scene) -> None:
    ranking = scene.rank()
    if ranking.reason is Placement.MOVED_LOAD:
        home, there = scene.home, scene.by_id[ranking.order[0]]
        saved_ms = scene.costs[home.id].wait_ms - scene.costs[there.id].wait_ms
        recompute_ms = scene.costs[there.id].new_tokens - scene.costs[home.id].new_tokens
        assert saved_ms > recompute_ms + RULES.margin_ms
        assert home.load >= there.load + RULES.band


@given(scenes())
def test_no_pin_is_left_for_load_when_moves_are_used_up(scene: Scene) -> None:
    ranking = scene.rank(may_move=False)
    assert ranking.reason is not Placement.MOVED_LOAD
    if scene.home_serves:
        assert ranking.order[0] == scene.home.id


@given(scenes())
def test_pinned_is_said_only_where_the_prefix_is(scene: Scene) -> None:
    ranking = scene.rank()
    if ranking.reason is Placement.PINNED:
        assert (ranking.order[0], scene.value.fate) == (scene.ahead.pin.replica_id, Fate.KEPT)
        assert scene.home.boot_id == scene.ahead.pin.boot_id


@given(scenes())
def test_a_worthless_pin_gets_no_preference(scene: Scene) -> None:
    if scene.ahead.pin and scene.value.fate is not Fate.KEPT:
        ranking = scene.rank()
        placed = Scene(replace(scene.ahead, pin=None), scene.replicas, scene.costs, scene.excluded).rank()
        assert ranking.order == placed.order
        assert ranking.reason in (Placement.COLD, Placement.FAILOVER)


@given(scenes(AHEADS.map(lambda ahead: replace(ahead, pin=None))))
def test_the_first_turn_goes_to_the_cheapest_and_ties_to_the_least_recent(scene: Scene) -> None:
    ranking = scene.rank()
    if not scene.ready:
        return
    first = scene.by_id[ranking.order[0]]
    for peer in scene.ready:
        if scene.costs[peer.id].is_member == scene.costs[first.id].is_member:
            assert scene.costs[first.id].cost_ms < scene.costs[peer.id].cost_ms + RULES.tie_ms
            if scene.costs[first.id].cost_ms == scene.costs[peer.id].cost_ms:
                assert (first.load, first.last_chosen) <= (peer.load, peer.last_chosen)


@given(scenes(AHEADS.map(lambda ahead: replace(ahead, pin=None))))
def test_a_turn_leaves_its_brands_set_only_for_a_real_gain(scene: Scene) -> None:
    ranking = scene.rank()
    if ranking.reason is Placement.BRAND_SPILL:
        outside = scene.costs[ranking.order[0]]
        members = [scene.costs[r.id] for r in scene.ready if scene.costs[r.id].is_member]
        if scene.by_id[ranking.order[0]].state is READY:
            assert all(member.cost_ms > outside.cost_ms + RULES.margin_ms - RULES.tie_ms for member in members)


@given(scenes())
def test_a_draining_replica_takes_nothing_while_another_is_ready(scene: Scene) -> None:
    if scene.ready:
        ranking = scene.rank()
        assert scene.by_id[ranking.order[0]].state is not ReplicaState.DRAINING
        leaving = scene.home and scene.home.state is ReplicaState.DRAINING and scene.value.fate is Fate.KEPT
        if leaving and not scene.excluded:
            warm = ranking.order[0]
            assert ranking.reason is Placement.MOVED_DRAIN and warm != scene.home.id


@given(scenes(), st.randoms())
def test_the_order_of_the_set_does_not_matter(scene: Scene, random: object) -> None:
    shuffled = list(scene.replicas)
    random.shuffle(shuffled)
    assert scene.rank(replicas=shuffled) == scene.rank()


@given(scenes())
def test_the_last_one_is_never_ejected(scene: Scene) -> None:
    able = {r.id for r in scene.replicas if r.state not in (ReplicaState.DOWN, ReplicaState.STARTING)}
    assert bool(scene.rank().order) == bool(able)


def test_an_attempt_after_a_failure_is_a_failover() -> None:
    there = [Snapshot("r0", "", READY, "monday"), Snapshot("r1", "", READY, "monday")]
    costs = {each.id: Candidate(each.id, 10) for each in there}
    ahead = Ahead(pin=Pin("r0", "monday"))
    ranking = decide(ahead, there, costs, worth(ahead, there[0]), RULES, exclude={"r0"})
    assert (ranking.order, ranking.reason) == (("r1",), Placement.FAILOVER)


def test_a_pin_outlives_the_restart_of_the_server_that_holds_it() -> None:
    there = [Snapshot("r0", "", READY, "monday"), Snapshot("r1", "", ReplicaState.WARMING, "monday")]
    costs = {"r0": Candidate("r0", 10), "r1": Candidate("r1", 10)}
    ahead = Ahead(pin=Pin("r1", "monday"))
    ranking = decide(ahead, there, costs, worth(ahead, there[1]), RULES)
    assert (ranking.order, ranking.reason) == (("r1", "r0"), Placement.PINNED)


def test_a_pin_that_was_moved_between_turns_says_why() -> None:
    there = [Snapshot("r0", "", ReplicaState.DRAINING, "monday"), Snapshot("r1", "", READY, "monday")]
    costs = {"r0": Candidate("r0", 10), "r1": Candidate("r1", 10)}
    ahead = Ahead(pin=Pin("r1", "monday", moved=Placement.MOVED_DRAIN))
    ranking = decide(ahead, there, costs, worth(ahead, there[1]), RULES)
    assert (ranking.order[0], ranking.reason) == ("r1", Placement.MOVED_DRAIN)
