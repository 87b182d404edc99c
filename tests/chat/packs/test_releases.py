from collections import Counter
from datetime import UTC, datetime

import pytest

from chat.packs.releases import bucket_of, chain, chosen
from sessions import Release

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def release(version: str, rollout: int = 100) -> Release:
    return Release("shop", version, rollout, NOW, NOW, None)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([100], {"v0": 100}),
        ([10, 100], {"v0": 10, "v1": 90}),
        ([10, 25, 100], {"v0": 10, "v1": 15, "v2": 75}),
        ([25, 10, 100], {"v0": 25, "v2": 75}),
        ([10], {"v0": 100}),
        ([10, 30], {"v0": 10, "v1": 90}),
        ([100, 100], {"v0": 100}),
    ],
)
def test_each_version_gets_its_share_and_the_oldest_the_rest(shares: list[int], expected: dict[str, int]) -> None:
    versions = chain([release(f"v{at}", share) for at, share in enumerate(shares)])
    assert Counter(chosen(versions, bucket).version for bucket in range(100)) == expected


def test_the_chain_ends_with_the_first_that_takes_all() -> None:
    assert [each.version for each in chain([release("a", 10), release("b"), release("c")])] == ["a", "b"]


def test_conversations_are_spread_evenly_and_keep_their_place() -> None:
    counts = Counter(bucket_of(f"cnv_{at}") // 10 for at in range(10_000))
    assert set(counts) == set(range(10))
    assert all(850 < count < 1150 for count in counts.values())
    assert bucket_of("cnv_1") == bucket_of("cnv_1")
