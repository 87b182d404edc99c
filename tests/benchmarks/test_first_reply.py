import pytest

from benchmarks.client import Heard
from benchmarks.first_reply import percentile, report, summary


def heard(first_ms: float, whole_ms: float) -> Heard:
    return Heard("t", text="hi", ended="reply.done", first_text_ms=first_ms, total_ms=whole_ms)


def told(replica: str, placement: str, prompt: int, cached: int) -> dict[str, object]:
    return {
        "replica": replica,
        "placement": placement,
        "usage": {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": 20},
    }


def test_figures_come_by_turn_and_by_replica() -> None:
    conversations = [
        [told("r0", "placed", 400, 320), told("r0", "pinned", 450, 416)],
        [told("r1", "placed", 400, 320), told("r0", "failover", 450, 320)],
    ]
    figures = summary([heard(100, 300), heard(120, 320), heard(80, 280), heard(300, 900)], conversations)
    assert figures["first_text_ms"] == {"median": 110, "p95": 300}
    assert figures["cached_share"] == {1: pytest.approx(0.8), 2: pytest.approx(736 / 900)}
    assert figures["replicas"] == {"r0": 3, "r1": 1}
    assert figures["left_pin"] == 1 and figures["not_replied"] == 0
    assert "turn 1: 80.0%" in report(figures)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([1.0, 2.0, 3.0], 0.95) == 3.0
