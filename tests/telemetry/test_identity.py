from opentelemetry.sdk.trace import TracerProvider

from telemetry.identity import ChosenIds, attempt_span_id, chosen, turn_parent, turn_span_id
from telemetry.propagation import parse
from tests.telemetry.spans import TRACE_ID


def test_the_ids_of_a_turn_are_the_same_in_every_process() -> None:
    assert turn_span_id("trn_1") == "12d703e4a8b3aef5"
    assert attempt_span_id("trn_1", 1) == attempt_span_id("trn_1", 1)


def test_turns_and_attempts_have_ids_of_their_own() -> None:
    ids = {turn_span_id("trn_1"), turn_span_id("trn_2"), attempt_span_id("trn_1", 1), attempt_span_id("trn_1", 2)}

    assert len(ids) == 4


def test_the_parent_of_a_turns_spans_is_known_before_the_turn_starts() -> None:
    parent = parse(turn_parent(f"00-{TRACE_ID}-b7ad6b7169203331-01", "trn_1"))

    assert parent is not None
    assert (parent.trace_id, parent.span_id) == (TRACE_ID, turn_span_id("trn_1"))


def test_only_the_span_that_starts_inside_has_the_chosen_ids() -> None:
    tracer = TracerProvider(id_generator=ChosenIds()).get_tracer("test")

    with chosen(span_id="00000000000000aa", trace_id=TRACE_ID):
        inside = tracer.start_span("turn").get_span_context()
    after = tracer.start_span("turn").get_span_context()

    assert (f"{inside.trace_id:032x}", inside.span_id) == (TRACE_ID, 0xAA)
    assert after.trace_id != inside.trace_id
    assert after.span_id != 0xAA
