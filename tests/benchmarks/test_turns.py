from math import inf

import pytest

from benchmarks.turns import Served, Window, after_move, figures, load_spread


def served(index: int, replica: str, ttft_ms: float, cached: int, due_s: float = 1.0, failed: bool = False) -> Served:
    return Served(0, index, due_s, replica, ttft_ms, ttft_ms + 100, 200, cached, failed, moved=False)


CACHEABLE = {0: [64, 128, 160]}


def test_shares_count_only_turns_that_were_served() -> None:
    rows = [served(1, "r0", 50, 64), served(2, "r0", 60, 64), served(3, "r1", inf, 0, failed=True)]
    result = figures(rows, CACHEABLE, replicas=2)
    assert result["cached_share"] == pytest.approx(128 / 192)
    assert (result["turns"], result["failed"]) == (3, 1)
    assert result["ttft_first_ms"]["p50"] == 50 and result["ttft_later_ms"]["p99"] == 60


def test_a_failed_turn_does_not_lengthen_the_run() -> None:
    rows = [served(1, "r0", 50, 64), served(2, "r1", inf, 0, failed=True)]
    assert figures(rows, CACHEABLE, replicas=2)["turns_per_s"] == pytest.approx(1 / 1.15)


def test_what_is_read_from_the_cache_is_told_from_the_move_on() -> None:
    at_home, moved, next_one = (served(index, "r0", 50, cached) for index, cached in ((1, 0), (2, 64), (3, 160)))
    rows = [next_one, moved._replace(moved=True), at_home, served(1, "r1", 50, 64)._replace(conversation=1)]
    assert after_move(rows, CACHEABLE | {1: [64]}) == [0.5, 1.0]
    assert after_move([at_home, next_one], CACHEABLE) == []


def test_what_fell_due_outside_the_window_does_not_count() -> None:
    rows = [served(1, "r0", 50, 0, due_s=1.0), served(2, "r0", 60, 128, due_s=5.0)]
    result = figures(rows, CACHEABLE, 1, Window(2.0, 9.0))
    assert result["turns"] == 1 and result["cached_share"] == 1.0 and result["ttft_first_ms"] is None


def test_the_spread_counts_replicas_that_did_nothing() -> None:
    rows = [served(1, "r0", 50, 0), served(2, "r0", 50, 0)]
    assert load_spread(rows, 1) == 0 and load_spread(rows, 2) == pytest.approx(1.0)
