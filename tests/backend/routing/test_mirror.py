from collections import OrderedDict

import pytest

from backend.routing.mirror import CacheMirror


def test_nothing_is_evicted_while_everything_fits() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    for second in range(9):
        mirror.use(f"c{second}", 100, second)
    assert mirror.after_s(9) is None


def test_the_age_lies_between_the_last_prefix_that_had_to_go_and_the_next() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    for second in range(101):
        mirror.use(f"c{second}", 100, second)
    assert mirror.after_s(100) == 9.5
    assert mirror.after_s(130) == 39.5, "as long as nothing comes, nothing goes"


def test_a_prefix_that_is_read_again_pushes_others_towards_the_end() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    for second in range(10):
        mirror.use(f"c{second}", 100, second)
    for second in range(10, 19):
        mirror.use(f"c{second - 10}", 100, second)
    mirror.use("new", 100, 19)
    assert mirror.after_s(20) == 10.5, "the one that nobody read again went first"


def test_a_turn_in_flight_takes_its_room_at_once_and_cannot_go() -> None:
    mirror = CacheMirror()
    mirror.observe(0, 1000)
    mirror.use("a", 400, 1)
    mirror.use("b", 400, 2)
    mirror.begin("long", 600, 3)
    assert mirror.after_s(3) == 1.5, "a is gone, b is not"
    mirror.begin("short", 400, 4)
    assert mirror.after_s(4) < 2, "b is gone, too"
    mirror.end("short", 5, 500)
    assert mirror.after_s(5) < 1, "it has become longer than the room that was left, and it was the only one to go"
    assert mirror.is_used("long")
    mirror.end("long", 6)
    assert not mirror.is_used("long")
    mirror.use("c", 400, 7)
    assert mirror.after_s(7) > 1, "what a turn that broke off has left is still there"


def test_what_two_turns_need_is_kept_until_both_are_over() -> None:
    mirror = CacheMirror()
    mirror.begin("brand", 500, 1)
    mirror.begin("brand", 500, 2)
    mirror.end("brand", 3, 500)
    assert mirror.is_used("brand")
    mirror.end("brand", 4, 500)
    assert not mirror.is_used("brand")
    mirror.begin("nothing came of it", 500, 5)
    mirror.end("nothing came of it", 6, 0)
    assert list(mirror._entries) == ["brand"]


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
