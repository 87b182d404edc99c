from pathlib import Path

from benchmarks.plots import bars, means, simulated

ROWS = [
    {
        "scenario": "steady",
        "arm": arm,
        "seed": seed,
        "replicas": 64,
        "cached_share": share,
        "ttft_ms": {"p95": 100.0 * seed},
    }
    for arm, share in (("ours", 0.9), ("random", 0.5))
    for seed in (1, 3)
]


def test_seeds_are_averaged_by_group_and_arm() -> None:
    assert means(ROWS, "scenario", ("ttft_ms", "p95")) == {"steady": {"ours": 200.0, "random": 200.0}}


def test_a_picture_is_the_same_file_each_time_and_light(tmp_path: Path) -> None:
    paths = simulated(ROWS, tmp_path)
    before = [path.read_bytes() for path in paths]
    assert all(b"Pindesk" in data or b"<svg" in data for data in before) and max(map(len, before)) < 60_000
    simulated(ROWS, tmp_path)
    assert [path.read_bytes() for path in paths] == before


def test_bars_may_be_logarithmic(tmp_path: Path) -> None:
    bars({"steady": {"ours": 10.0, "random": 1000.0}}, "ms", "title", tmp_path / "a.svg", logarithmic=True)
    assert (tmp_path / "a.svg").stat().st_size > 0
