from pathlib import Path
from typing import Any

import pytest

from benchmarks.live import records
from benchmarks.turns import Served

ROW = Served(0, 1, 0.5, "r0", 50.0, 90.0, 640, 576, False, False)


def run(arm: str, seed: int, share: float, p95: float, workload: str = "steady") -> dict[str, Any]:
    spread = {"p50": p95 / 2, "p95": p95, "p99": p95 * 2}
    figures = {"turns": 10, "failed": 0, "cached_share": share, "ttft_ms": spread, "ttft_first_ms": spread}
    figures |= {"ttft_later_ms": None, "load_cov": 0.1, "turns_per_s": 2.0}
    return {"workload": workload, "arm": arm, "seed": seed, "seconds": 45.0, "rate": 1.0, "figures": figures}


def test_what_was_appended_is_read_and_the_later_of_the_same_counts(tmp_path: Path) -> None:
    path = tmp_path / "var" / "routing.jsonl"
    assert records.read(path) == []
    for share in (0.5, 0.6):
        records.append(path, run("ours", 1, share, 100), [ROW])
    records.append(path, run("ours", 2, 0.7, 100), [ROW, ROW])
    found = records.read(path)
    assert [each["figures"]["cached_share"] for each in found] == [0.6, 0.7]
    assert records.rows_of(found[1]) == [ROW, ROW]


@pytest.mark.parametrize(
    ("pairs", "better", "verdict"),
    [
        ([(0.9, 0.5), (0.91, 0.5), (0.89, 0.5)], 1, "better"),
        ([(0.9, 0.5), (0.91, 0.5), (0.89, 0.5)], -1, "worse"),
        ([(0.9, 0.5), (0.4, 0.8), (0.7, 0.7)], 1, "equal"),
    ],
)
def test_equal_means_inside_the_paired_interval(pairs: list[tuple[float, float]], better: int, verdict: str) -> None:
    assert records.compare(pairs, better).startswith(verdict)


def test_one_seed_has_no_interval() -> None:
    assert "one seed" in records.compare([(1.0, 2.0)], 1)


def test_seeds_are_paired_with_the_best_peer_and_the_oracle_is_none() -> None:
    runs = [run("ours", seed, 0.95 + seed / 1000, 100) for seed in (1, 2, 3)]
    runs += [run("random", seed, 0.5, 300) for seed in (1, 2, 3)]
    runs += [run("cache_aware", seed, 0.9 + seed / 1000, 200) for seed in (2, 3, 4)]
    runs += [run("oracle", seed, 1.0, 50) for seed in (1, 2, 3)]
    share, tail = records.verdicts(runs)
    assert "cache_aware" in share and "better" in share and "2 seeds" in share
    assert "cache_aware" in tail and "ratio 0.50" in tail


def test_turns_that_left_their_pin_are_told_for_each_arm_but_the_oracle() -> None:
    later = [ROW, ROW._replace(index=2, due_s=30.0, replica="r1", moved=True)]
    runs = [
        run(arm, seed, 0.9, 100) | {"rows": [list(row) for row in later]}
        for arm in ("ours", "oracle")
        for seed in (1, 2)
    ]
    assert records.report(runs).count("left their pin: 0 of 0 turns in the first half, 2 of 2 in the second") == 1


def test_a_table_has_a_line_for_each_arm_and_tells_seeds_and_turns() -> None:
    table = records.report([run("ours", 1, 0.9, 100), run("ours", 2, 1.0, 200), run("random", 1, 0.5, 300, "burst")])
    assert "### steady" in table and "### burst" in table
    assert "| ours | 2 | 20 | 0.950 | 75 / 150 / 300 | nan / nan / nan |" in table
