import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode

from telemetry.names import ERROR_TYPE, REPLICA
from telemetry.record import MAX_NAME_CHARACTERS, EventRecord, SpanRecord, from_span, to_span
from tests.telemetry.spans import TRACE_ID

CANARY = "my card is 4111 1111 1111 1111"

RECORDS = [
    SpanRecord(TRACE_ID, "b7ad6b7169203331", None, "turn", "web", 1, 9),
    SpanRecord(
        TRACE_ID,
        "00f067aa0ba902b7",
        "b7ad6b7169203331",
        "llm_request",
        "r0",
        2,
        3,
        {"gen_ai.latency.time_in_queue": 0.5, ERROR_TYPE: "abort"},
        [EventRecord(name="exception", time_ns=3, attributes={"exception.type": "ValueError"})],
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_becomes_a_span_and_comes_back(record: SpanRecord) -> None:
    assert from_span(to_span(record)) == record


def test_a_failed_span_has_an_error_type_and_no_words() -> None:
    span = TracerProvider(resource=Resource({"service.name": "web"})).get_tracer("test").start_span("x" * 1000)
    span.set_attributes({REPLICA: "r0", "text": CANARY})
    span.record_exception(ValueError(CANARY))
    span.set_status(Status(StatusCode.ERROR, CANARY))
    span.end()

    record = from_span(span)

    assert CANARY not in repr(record)
    assert record.attributes == {REPLICA: "r0", ERROR_TYPE: "ValueError"}
    assert (len(record.name), record.service, record.parent_id) == (MAX_NAME_CHARACTERS, "web", None)
