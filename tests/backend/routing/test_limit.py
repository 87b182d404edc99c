import pytest

from backend.routing.limit import InflightLimit


def run(limit: InflightLimit, knee: int, rounds: int) -> list[float]:
    """A replica that slows down in proportion beyond `knee` attempts, always offered more than it takes."""
    seen, now_s = [], 0.0
    for _ in range(rounds):
        crowd = int(limit.limit)
        took_ms = 1000 * max(1.0, crowd / knee) * 1.5
        for _ in range(crowd):
            limit.learn(took_ms, 1000, crowd, now_s + took_ms / 1000)
        now_s += took_ms / 1000
        seen.append(limit.limit)
    return seen


@pytest.mark.parametrize("knee", [4, 16, 60])
def test_the_limit_finds_where_a_replica_becomes_slow(knee: int) -> None:
    found = run(InflightLimit(tolerance=3.0), knee, 200)[-50:]
    assert knee < sum(found) / len(found) < 2.5 * knee


def test_an_idle_replica_keeps_its_limit() -> None:
    limit = InflightLimit()
    for second in range(100):
        limit.learn(1000, 1000, 1, second)
    assert limit.limit == InflightLimit().limit


def test_one_slow_round_counts_once() -> None:
    limit = InflightLimit(limit=10)
    for _ in range(10):
        limit.learn(9000, 1000, 10, 9.0)
    assert limit.limit == pytest.approx(8.5)


def test_it_stays_within_its_bounds() -> None:
    limit = InflightLimit(limit=3, least=2, most=4)
    for second in range(0, 1000, 100):
        limit.learn(90_000, 1000, 3, second)
        limit.refused(second + 99)
    assert limit.limit == 2
    for second in range(1000, 2000):
        limit.learn(1000, 1000, 9, second)
    assert limit.limit == 4
