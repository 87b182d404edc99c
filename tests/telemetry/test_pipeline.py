import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from time import monotonic

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer, use_span

from telemetry.names import CONVERSATION_ID
from telemetry.pipeline import BoundedProcessor, ConversationIds, Drop

CAPACITY = 8


class Destination(SpanExporter):
    """A collector that can hang, fail or raise."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.result: SpanExportResult | Exception = SpanExportResult.SUCCESS
        self.spans: list[str] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.open.wait()
        if isinstance(self.result, Exception):
            raise self.result
        self.spans += [span.name for span in spans]
        return self.result

    def hang(self) -> None:
        self.open.clear()
        self.entered.clear()


class Line:
    """A tracer, its destination and what was dropped on the way."""

    def __init__(self, delay_ms: float = 10) -> None:
        self.destination = Destination()
        self.dropped: Counter[Drop] = Counter()
        self.processor = BoundedProcessor(self.destination, capacity=CAPACITY, delay_ms=delay_ms, on_drop=self._count)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.processor)
        self.tracer: Tracer = provider.get_tracer("test")

    def _count(self, reason: Drop, spans: int) -> None:
        self.dropped[reason] += spans

    def end_spans(self, count: int) -> None:
        for index in range(count):
            self.tracer.start_span(f"span {index}").end()


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.destination.open.set()
    line.processor.close(timeout_s=5)


def test_what_ends_is_delivered_and_nothing_dropped(line: Line) -> None:
    line.end_spans(3)

    assert line.processor.force_flush()
    assert line.destination.spans == ["span 0", "span 1", "span 2"]
    assert line.processor.pending == 0
    assert not line.dropped


def test_a_hanging_destination_delays_nobody_and_its_drops_are_counted(line: Line) -> None:
    line.destination.hang()
    line.end_spans(1)
    assert line.destination.entered.wait(5)
    started = monotonic()

    line.end_spans(100)

    assert monotonic() - started < 0.5
    assert line.dropped == {Drop.QUEUE_FULL: 101 - CAPACITY}
    line.destination.open.set()
    line.processor.force_flush()
    assert len(line.destination.spans) == CAPACITY


def test_a_destination_that_recovers_gets_spans_again(line: Line) -> None:
    line.destination.result = RuntimeError("away")
    line.end_spans(2)
    line.processor.force_flush()

    line.destination.result = SpanExportResult.SUCCESS
    line.end_spans(2)
    line.processor.force_flush()

    assert len(line.destination.spans) == 2
    assert line.dropped == {Drop.EXPORT_FAILED: 2}


@pytest.mark.parametrize("result", [SpanExportResult.FAILURE, RuntimeError("away")])
def test_a_failing_destinations_spans_are_counted(line: Line, result: SpanExportResult | Exception) -> None:
    line.destination.result = result

    line.end_spans(3)
    line.processor.force_flush()

    assert line.dropped == {Drop.EXPORT_FAILED: 3}
    assert line.processor.pending == 0


def test_closing_delivers_what_is_left() -> None:
    line = Line(delay_ms=60_000)
    line.end_spans(3)

    line.processor.close(timeout_s=5)

    assert len(line.destination.spans) == 3
    assert not line.dropped


def test_closing_gives_a_hanging_destination_up(line: Line) -> None:
    line.destination.hang()
    line.end_spans(3)
    started = monotonic()

    line.processor.close(timeout_s=0.2)

    assert monotonic() - started < 2
    assert line.dropped == {Drop.CLOSED: 3}


def test_what_ends_after_closing_is_counted(line: Line) -> None:
    line.processor.close(timeout_s=5)

    line.end_spans(1)

    assert line.dropped == {Drop.CLOSED: 1}


def test_a_span_takes_its_parents_conversation_over() -> None:
    provider = TracerProvider()
    provider.add_span_processor(ConversationIds())
    tracer = provider.get_tracer("test")

    turn = tracer.start_span("turn", attributes={CONVERSATION_ID: "cnv_1"})
    with use_span(turn), tracer.start_as_current_span("route") as route:
        inner = tracer.start_span("inner")
    stranger = tracer.start_span("stranger")

    assert route.attributes == inner.attributes == {CONVERSATION_ID: "cnv_1"}
    assert not stranger.attributes
