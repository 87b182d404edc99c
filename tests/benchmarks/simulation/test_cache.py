from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulation.cache import BlockCache
from benchmarks.simulation.oracle import Foresight
from benchmarks.traffic import Conversation

A, B, C = (0, 0), (0, 1), (0, 2)


def used(cache: BlockCache, key: tuple[int, int], blocks: int) -> None:
    cache.hold(key, blocks)
    cache.release(key)


def test_the_least_recently_used_goes_first_and_its_tail_before_its_head() -> None:
    cache = BlockCache(10)
    used(cache, A, 4)
    used(cache, B, 4)
    used(cache, A, 4)
    used(cache, C, 5)
    assert [cache.cached(key) for key in (A, B, C)] == [4, 1, 5]
    assert cache.evicted == 3


def test_what_runs_is_not_evicted() -> None:
    cache = BlockCache(8)
    cache.hold(A, 4)
    used(cache, B, 4)
    used(cache, C, 3)
    assert cache.cached(A) == 4 and cache.cached(B) == 1
    assert cache.room((A,)) == 4


def test_a_run_held_twice_is_kept_until_both_are_done() -> None:
    cache = BlockCache(8)
    cache.hold(A, 4)
    cache.hold(A, 5)
    cache.release(A)
    assert (cache.held, cache.idle) == (5, 0)
    cache.release(A)
    assert (cache.held, cache.idle) == (0, 5)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), max_size=60))
def test_no_block_is_counted_twice_or_lost(uses: list[tuple[int, int]]) -> None:
    cache = BlockCache(12)
    for key, blocks in uses:
        used(cache, (0, key), blocks)
        cached = sum(cache.cached((0, each)) for each in range(6))
        assert cached == cache.idle <= cache.capacity and cache.held == 0


def test_foresight_evicts_what_is_needed_last() -> None:
    talks = [Conversation(n, n, 0, [0.0, due], [64, 64], [0, 64], [1, 1]) for n, due in enumerate((9.0, 5.0, 7.0))]
    cache = Foresight(8, talks)
    for talk in talks:
        used(cache, (talk.brand, talk.id), 3)
    assert [cache.cached((n, n)) for n in range(3)] == [2, 3, 3]
