from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from backend.routing.brands import BrandSets, brand_key, ranked

BRANDS = st.text(min_size=1, max_size=20)
REPLICAS = st.lists(st.integers(0, 99).map("r{}".format), min_size=1, max_size=12, unique=True)


@given(BRANDS, REPLICAS, st.randoms())
def test_every_process_ranks_alike(brand: str, replicas: list[str], random: object) -> None:
    shuffled = list(replicas)
    random.shuffle(shuffled)
    assert ranked(brand, shuffled) == ranked(brand, replicas)


@given(BRANDS, REPLICAS)
def test_a_replica_that_leaves_changes_nothing_among_the_others(brand: str, replicas: list[str]) -> None:
    whole = ranked(brand, replicas)
    for gone in replicas:
        assert ranked(brand, [each for each in replicas if each != gone]) == [each for each in whole if each != gone]


def test_a_new_replica_takes_its_share_of_the_brands_and_no_more() -> None:
    before, after = [f"r{n}" for n in range(4)], [f"r{n}" for n in range(5)]
    brands = [f"brand {n}" for n in range(1000)]
    moved = [brand for brand in brands if ranked(brand, before)[0] != ranked(brand, after)[0]]
    assert all(ranked(brand, after)[0] == "r4" for brand in moved)
    assert 150 < len(moved) < 250, "a fifth"


def test_brands_spread_evenly() -> None:
    homes = Counter(ranked(f"brand {n}", [f"r{n}" for n in range(8)])[0] for n in range(4000))
    assert all(400 < count < 600 for count in homes.values())


@given(st.tuples(BRANDS, BRANDS), st.tuples(BRANDS, BRANDS))
def test_another_salt_or_another_pack_is_another_brand(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (brand_key(*one) == brand_key(*other)) == (one == other)


def test_a_set_has_two_members_and_grows_at_once_with_its_demand() -> None:
    sets, replicas = BrandSets(least=2, per_replica=4, fade_s=30), [f"r{n}" for n in range(6)]
    assert sets.members("brand", replicas, 0) == ranked("brand", replicas)[:2]
    for _ in range(9):
        sets.began("brand", 0)
    assert sets.members("brand", replicas, 0) == ranked("brand", replicas)[:3]


def test_a_set_shrinks_slowly() -> None:
    sets = BrandSets(least=1, per_replica=1, fade_s=30)
    for _ in range(8):
        sets.began("brand", 0)
    for _ in range(8):
        sets.ended("brand", 1)
    sizes = [sets.size("brand", now_s) for now_s in (1, 10, 31, 61, 200)]
    assert sizes == [8, 7, 4, 2, 1]


@given(REPLICAS)
def test_a_set_never_has_more_members_than_there_are(replicas: list[str]) -> None:
    sets = BrandSets()
    for _ in range(100):
        sets.began("brand", 0)
    assert sorted(sets.members("brand", replicas, 0)) == sorted(replicas)


def test_a_spare_copy_is_kept_only_where_there_is_room_for_it() -> None:
    sets = BrandSets(least=2, per_replica=1)
    assert sets.members("brand", ["r0", "r1", "r2"], 0) == ranked("brand", ["r0", "r1", "r2"])[:2]
    assert sets.members("brand", ["r0", "r1", "r2"], 0, scarce=True) == ranked("brand", ["r0", "r1", "r2"])[:1]
    for _ in range(3):
        sets.began("brand", 1)
    assert len(sets.members("brand", ["r0", "r1", "r2"], 1, scarce=True)) == 3
