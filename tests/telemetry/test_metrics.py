import pytest
from prometheus_client.parser import text_string_to_metric_families

from telemetry.metrics import Metrics, turn_bucket


def values(metrics: Metrics) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_contracts_names() -> None:
    metrics = Metrics()
    metrics.turns.labels("done").inc()
    metrics.count_usage(2, prompt_tokens=900, cached_tokens=864, completion_tokens=18)

    found = values(metrics)

    assert found["pindesk_turns_total", "done"] == 1
    assert found["pindesk_prompt_tokens_total", ""] == 900
    assert found["pindesk_cached_prompt_tokens_total", ""] == 864


def test_the_cached_share_can_be_told_by_turn() -> None:
    metrics = Metrics()
    for turn in (1, 2, 2):
        metrics.count_usage(turn, prompt_tokens=100, cached_tokens=50 * (turn - 1), completion_tokens=1)

    found = values(metrics)

    assert found["pindesk_prompt_tokens_by_turn_total", "2"] == 200
    assert found["pindesk_cached_prompt_tokens_by_turn_total", "2"] == 100
    assert found["pindesk_cached_prompt_tokens_by_turn_total", "1"] == 0
    assert found["pindesk_prompt_length_tokens_count", ""] == 3


@pytest.mark.parametrize(
    ("index", "bucket"), [(0, "1"), (1, "1"), (3, "3"), (4, "4-7"), (7, "4-7"), (8, "8+"), (400, "8+")]
)
def test_long_conversations_share_a_label(index: int, bucket: str) -> None:
    assert turn_bucket(index) == bucket


def test_applications_of_one_process_do_not_share_figures() -> None:
    first, second = Metrics(), Metrics()

    first.turns.labels("done").inc()

    assert ("pindesk_turns_total", "done") not in values(second)


def test_a_counter_without_labels_is_there_from_the_start() -> None:
    found = values(Metrics())

    assert found["pindesk_prompt_tokens_total", ""] == 0
    assert found["process_resident_memory_bytes", ""] > 0


def test_no_label_can_grow_with_customers() -> None:
    registered = Metrics().registry.collect()
    label_names = {name for family in registered for sample in family.samples for name in sample.labels}

    assert label_names <= {"le", "mode", "state", "gpu"}
