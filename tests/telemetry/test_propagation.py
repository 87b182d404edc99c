import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.propagation import TraceParent, admit, parse, parsed, restart, trace_id_of, traceparent_of

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
VALID = f"00-{TRACE_ID}-{SPAN_ID}-01"

INVALID = [
    None,
    "",
    "garbage",
    f"00-{TRACE_ID}-{SPAN_ID}",
    f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
    f"00-{'0' * 32}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{'0' * 16}-01",
    f"ff-{TRACE_ID}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{SPAN_ID}-01-more",
    f"00-{TRACE_ID}-{SPAN_ID}-01\n",
    f"00-{TRACE_ID}-{SPAN_ID}-1",
    f"cc-{TRACE_ID}-{SPAN_ID}-01-" + "x" * 1000 + "\n",
    VALID + "," + VALID,
]


@pytest.mark.parametrize("flags", ["00", "01", "02", "03", "ff"])
def test_a_valid_header_is_read_whatever_its_flags(flags: str) -> None:
    assert parse(f"00-{TRACE_ID}-{SPAN_ID}-{flags}") == TraceParent(TRACE_ID, SPAN_ID)


def test_a_later_version_may_say_more() -> None:
    assert parse(f"cc-{TRACE_ID}-{SPAN_ID}-01-what-the-future-brings") == TraceParent(TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("header", INVALID)
def test_an_invalid_header_is_no_parent(header: str | None) -> None:
    assert parse(header) is None


@pytest.mark.parametrize("header", INVALID)
def test_an_invalid_header_restarts_the_trace(header: str | None) -> None:
    admitted = parsed(admit(header, trusted=True))

    assert admitted.is_restart
    assert admitted.trace_id != TRACE_ID


def test_a_known_caller_is_continued_and_always_sampled() -> None:
    assert admit(f"00-{TRACE_ID}-{SPAN_ID}-00", trusted=True) == VALID


def test_a_stranger_is_restarted() -> None:
    admitted = admit(VALID, trusted=False)

    assert trace_id_of(admitted) != TRACE_ID
    assert parsed(admitted).is_restart


def test_two_restarts_differ() -> None:
    assert restart() != restart()


def test_what_is_not_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="not a traceparent"):
        trace_id_of("garbage")


def test_a_span_is_passed_on_in_the_standard_form() -> None:
    span = TracerProvider().get_tracer("test").start_span("chat")
    context = span.get_span_context()

    header = traceparent_of(span)

    read = TraceContextTextMapPropagator().extract({"traceparent": header})
    (remote,) = [value.get_span_context() for value in read.values()]
    assert (remote.trace_id, remote.span_id) == (context.trace_id, context.span_id)
    assert remote.trace_flags.sampled
