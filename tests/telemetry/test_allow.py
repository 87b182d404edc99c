import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, StatusCode, use_span

from telemetry.allow import MAX_ITEMS, MAX_TEXT_CHARACTERS, AllowedExporter, allowed, with_error_type
from telemetry.names import ERROR_TYPE, PLACEMENT_CANDIDATES, REPLICA, TURN_INDEX

CANARY = "my card is 4111 1111 1111 1111"


@pytest.mark.parametrize("key", ["message", "gen_ai.input.messages", "pindesk.turn.text", "gen_ai.latency.of.mine"])
def test_an_unknown_key_is_dropped(key: str) -> None:
    assert allowed({key: CANARY, TURN_INDEX: 2}) == {TURN_INDEX: 2}


def test_values_are_bounded() -> None:
    kept = allowed({REPLICA: "r" * 1000, PLACEMENT_CANDIDATES: ["r"] * 1000})

    assert len(kept[REPLICA]) == MAX_TEXT_CHARACTERS
    assert len(kept[PLACEMENT_CANDIDATES]) == MAX_ITEMS


@pytest.mark.parametrize("value", [{"a": CANARY}, b"bytes", None, object()])
def test_a_value_that_is_no_scalar_or_list_is_dropped(value: object) -> None:
    assert allowed({REPLICA: value}) == {}


def test_lists_hold_scalars_only() -> None:
    assert allowed({PLACEMENT_CANDIDATES: ("r0", None, ["r1"], "r2")}) == {PLACEMENT_CANDIDATES: ["r0", "r2"]}


def test_no_attributes_are_no_attributes() -> None:
    assert allowed(None) == {}


def test_the_last_exception_names_the_error() -> None:
    raised = [("exception", {"exception.type": "A"}), ("exception", {"exception.type": "B"}), ("reset", {})]

    assert with_error_type({}, raised) == {ERROR_TYPE: "B"}
    assert with_error_type({ERROR_TYPE: "stalled"}, raised) == {ERROR_TYPE: "stalled"}
    assert with_error_type({}, []) == {ERROR_TYPE: "_OTHER"}


def test_an_exported_span_has_lost_every_text() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(AllowedExporter(kept)))
    tracer = provider.get_tracer("test")
    link = Link(tracer.start_span("other").get_span_context(), {"text": CANARY})

    span = tracer.start_span("turn", links=[link], attributes={"text": CANARY, REPLICA: "r0"})
    span.add_event("reset", {"text": CANARY})
    with pytest.raises(ValueError, match="card"), use_span(span, end_on_exit=True):
        int(CANARY)

    (exported,) = [found for found in kept.get_finished_spans() if found.name == "turn"]
    assert CANARY not in exported.to_json()
    assert exported.attributes == {REPLICA: "r0"}
    assert exported.status.status_code is StatusCode.ERROR
    assert [event.name for event in exported.events] == ["reset", "exception"]
    assert exported.events[1].attributes == {"exception.type": "ValueError"}
    assert exported.context.span_id == span.get_span_context().span_id
