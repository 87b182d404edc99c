from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from backend.placement import Pin, Placement, Ranking, ReplicaState, Snapshot, rank

IDS = [f"r{number}" for number in range(5)]
BOOTS = ["monday", "tuesday"]

SNAPSHOTS = st.builds(
    Snapshot,
    id=st.just(""),
    url=st.just("http://replica"),
    state=st.sampled_from(ReplicaState),
    boot_id=st.sampled_from(BOOTS),
    inflight=st.integers(0, 3),
    elsewhere=st.integers(0, 2),
    last_chosen=st.integers(0, 4),
)


@st.composite
def sets(draw: st.DrawFn) -> list[Snapshot]:
    """Sets of up to five replicas, each in any state."""
    drawn = draw(st.lists(SNAPSHOTS, max_size=len(IDS)))
    return draw(st.permutations([replace(replica, id=IDS[index]) for index, replica in enumerate(drawn)]))


PINS = st.none() | st.builds(Pin, st.sampled_from(IDS), st.sampled_from(BOOTS))
EXCLUDED = st.frozensets(st.sampled_from(IDS))
NEVER = {ReplicaState.DOWN, ReplicaState.STARTING}


def home_of(pin: Pin | None, replicas: list[Snapshot]) -> Snapshot | None:
    return next((replica for replica in replicas if pin and replica.id == pin.replica_id), None)


def by_id(replicas: list[Snapshot]) -> dict[str, Snapshot]:
    return {replica.id: replica for replica in replicas}


@given(PINS, sets(), EXCLUDED)
def test_the_order_holds_every_usable_replica_once(pin: Pin, replicas: list[Snapshot], excluded: frozenset) -> None:
    usable = {replica.id for replica in replicas if replica.state not in NEVER}
    order = rank(pin, replicas, excluded).order
    assert sorted(order) == sorted(usable - excluded or usable)


@given(PINS, sets(), EXCLUDED)
def test_nothing_worse_than_ready_goes_first_while_one_is_ready(
    pin: Pin, replicas: list[Snapshot], excluded: frozenset
) -> None:
    ready = {replica.id for replica in replicas if replica.state is ReplicaState.READY} - excluded
    first = rank(pin, replicas, excluded).order[:1]
    if ready:
        home = home_of(pin, replicas)
        still_warm = home and home.state is ReplicaState.WARMING and home.boot_id == pin.boot_id
        assert first[0] in ready or (still_warm and first == (home.id,))
        assert not set(first) & excluded


@given(PINS, sets(), EXCLUDED)
def test_a_pin_is_kept_exactly_while_its_boot_is_in_service(
    pin: Pin, replicas: list[Snapshot], excluded: frozenset
) -> None:
    home = home_of(pin, replicas)
    if home and home.state is ReplicaState.READY and home.boot_id == pin.boot_id and home.id not in excluded:
        ranking = rank(pin, replicas, excluded)
        assert (ranking.order[0], ranking.reason) == (home.id, Placement.PINNED)


@given(PINS, sets(), EXCLUDED)
def test_pinned_is_said_only_of_the_same_replica_and_boot(
    pin: Pin, replicas: list[Snapshot], excluded: frozenset
) -> None:
    ranking = rank(pin, replicas, excluded)
    if ranking.reason is Placement.PINNED:
        home = home_of(pin, replicas)
        assert (ranking.order[0], home.boot_id) == (pin.replica_id, pin.boot_id)


@given(PINS, sets(), EXCLUDED)
def test_another_boot_is_cold_and_gets_no_preference(pin: Pin, replicas: list[Snapshot], excluded: frozenset) -> None:
    home = home_of(pin, replicas)
    if home and home.boot_id != pin.boot_id:
        ranking = rank(pin, replicas, excluded)
        assert ranking == Ranking(rank(None, replicas, excluded).order, Placement.COLD)


@given(sets(), EXCLUDED)
def test_without_a_pin_the_least_loaded_wins_and_ties_go_to_the_least_recent(
    replicas: list[Snapshot], excluded: frozenset
) -> None:
    ranking = rank(None, replicas, excluded)
    assert ranking.reason is Placement.PLACED
    first = [by_id(replicas)[key] for key in ranking.order[:1]]
    for peer in (by_id(replicas)[key] for key in ranking.order[1:]):
        if peer.state is first[0].state:
            assert (first[0].load, first[0].last_chosen) <= (peer.load, peer.last_chosen)


@given(PINS, sets(), EXCLUDED)
def test_a_draining_replica_takes_nothing_while_another_is_ready(
    pin: Pin, replicas: list[Snapshot], excluded: frozenset
) -> None:
    home = home_of(pin, replicas)
    ready = {replica.id for replica in replicas if replica.state is ReplicaState.READY} - excluded
    draining = home and home.state is ReplicaState.DRAINING and home.boot_id == pin.boot_id
    if draining and ready and home.id not in excluded:
        ranking = rank(pin, replicas, excluded)
        assert ranking.order[0] in ready
        assert ranking.reason is Placement.MOVED_DRAIN


@given(PINS, sets(), EXCLUDED, st.randoms())
def test_the_order_of_the_set_does_not_matter(
    pin: Pin, replicas: list[Snapshot], excluded: frozenset, random: object
) -> None:
    shuffled = list(replicas)
    random.shuffle(shuffled)
    assert rank(pin, shuffled, excluded) == rank(pin, replicas, excluded)


def replica(key: str, state: ReplicaState = ReplicaState.READY, **fields: object) -> Snapshot:
    return Snapshot(key, "http://replica", state, **{"boot_id": "monday"} | fields)


def test_a_failed_home_is_left_and_the_reason_says_so() -> None:
    there = [replica("r0", ReplicaState.DOWN), replica("r1"), replica("r2", inflight=1)]
    assert rank(Pin("r0", "monday"), there) == Ranking(("r1", "r2"), Placement.FAILOVER)


def test_a_replica_that_failed_this_turn_is_left() -> None:
    there = [replica("r0"), replica("r1", inflight=9)]
    assert rank(Pin("r0", "monday"), there, {"r0"}) == Ranking(("r1",), Placement.FAILOVER)


def test_a_pin_whose_replica_left_the_set_fails_over() -> None:
    assert rank(Pin("r7", "monday"), [replica("r0")]) == Ranking(("r0",), Placement.FAILOVER)


def test_the_last_one_is_never_ejected() -> None:
    suspect = [replica("r0", ReplicaState.SUSPECT), replica("r1", ReplicaState.DOWN)]
    assert rank(None, suspect).order == ("r0",)
    assert rank(None, suspect, {"r0"}).order == ("r0",)


def test_with_nobody_there_the_order_is_empty() -> None:
    assert rank(None, [replica("r0", ReplicaState.DOWN)]) == Ranking((), Placement.PLACED)


def test_a_pin_outlives_the_restart_of_the_server_that_holds_it() -> None:
    there = [replica("r0"), replica("r1", ReplicaState.WARMING)]
    assert rank(Pin("r1", "monday"), there) == Ranking(("r1", "r0"), Placement.PINNED)
