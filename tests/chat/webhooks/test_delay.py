from chat.webhooks.sender import MOST_TRIES, delay_s


def test_the_waits_grow_from_seconds_to_hours_and_differ() -> None:
    waits = [delay_s(tries) for tries in range(1, MOST_TRIES)]
    assert 4 <= waits[0] <= 6
    assert waits == sorted(waits)
    assert 8 * 3600 <= sum(waits) <= 18 * 3600
    assert len({delay_s(3) for _ in range(10)}) > 1
