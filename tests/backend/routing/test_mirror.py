from collections import OrderedDict

import pytest

from backend.routing.mirror import CacheMirror


def test_nothing_is_evicted_while_everything_fits() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    for second in range(9):
        mirror.use(f"c{second}", 100, second)
    assert mirror.after_s(9) is None


def test_the_age_is_that_of_the_last_prefix_that_had_to_go() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    for second in range(101):
        mirror.use(f"c{second}", 100, second)
    assert mirror.after_s(100) == 10
    assert mirror.after_s(130) == 40, "as long as nothing comes, nothing goes"


def test_a_prefix_that_is_read_again_pushes_others_towards_the_end() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    for second in range(10):
        mirror.use(f"c{second}", 100, second)
    for second in range(10, 19):
        mirror.use(f"c{second - 10}", 100, second)
    mirror.use("new", 100, 19)
    assert mirror.after_s(20) == 11, "the one that nobody read again went first"


def test_misses_shorten_it_and_late_hits_lengthen_it_again() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 5000)
    for second in range(101):
        mirror.use(f"c{second}", 100, second)
    whole = mirror.after_s(100)
    mirror.missed()
    assert mirror.after_s(100) < whole
    for second in range(101, 201):
        mirror.held()
        mirror.use(f"c{second}", 100, second)
    assert mirror.after_s(200) == whole


def test_what_others_ask_of_the_replica_leaves_less_for_ours() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 10_000)
    for second in range(1, 400):
        mirror.use(f"c{second}", 100, second)
        mirror.served(100)
        mirror.observe(second * 400, 10_000)
    assert mirror.ours == pytest.approx(0.25, abs=0.05)
    assert mirror.after_s(399) == pytest.approx(25, abs=5)


def test_it_agrees_with_a_cache_that_evicts_the_least_recently_used() -> None:
    cache, mirror, used_at = OrderedDict[int, None](), CacheMirror(), dict[int, int]()
    mirror.observe(0, 2000)
    for second in range(3000):
        key = (second * 7919) % 31 if second % 3 else second % 5
        if key in used_at:
            after_s = mirror.after_s(second)
            assert (after_s is None or second - used_at[key] < after_s) == (key in cache)
        cache[key] = None
        cache.move_to_end(key)
        if len(cache) > 20:
            cache.popitem(last=False)
        used_at[key] = second
        mirror.use(str(key), 100, second)


def test_memory_is_bounded_by_the_cache() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 100_000)
    for second in range(5000):
        mirror.use(f"c{second}", 100, second)
    assert len(mirror._entries) == 1000
