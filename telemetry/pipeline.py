"""The way of an ended span to one destination: bounded, in batches, from a thread; what is dropped is counted.

The SDK's batch processor bounds its queue but tells nobody what it drops, and waits up to 30 s at its shutdown.
"""

import threading
from collections.abc import Callable, Sequence
from enum import StrEnum

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import get_current_span

from telemetry.names import CONVERSATION_ID

_log = structlog.get_logger("telemetry")

MAX_BATCH = 512


class Drop(StrEnum):
    """Why ended spans did not reach a destination."""

    QUEUE_FULL = "queue_full"
    EXPORT_FAILED = "export_failed"
    CLOSED = "closed"


OnDrop = Callable[[Drop, int], None]


class ConversationIds(SpanProcessor):
    """Writes the conversation's id on every span whose parent has it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        parent = get_current_span(parent_context)
        if isinstance(parent, ReadableSpan) and (known := (parent.attributes or {}).get(CONVERSATION_ID)):
            span.set_attribute(CONVERSATION_ID, known)


class BoundedProcessor(SpanProcessor):
    """Hands ended spans to `exporter` in the background. `on_end` never waits: beyond `capacity` it drops."""

    def __init__(self, exporter: SpanExporter, *, capacity: int, delay_ms: float | None, on_drop: OnDrop) -> None:
        self._capacity = capacity
        self._on_drop = on_drop
        self._pending = 0
        self._closed = False
        self._lock = threading.Lock()
        # A queue of the same length as ours never overflows, so every drop is one that we decide and count.
        self._batches = BatchSpanProcessor(
            _Accounted(exporter, self._settle),
            max_queue_size=capacity,
            schedule_delay_millis=delay_ms,
            max_export_batch_size=min(MAX_BATCH, capacity),
        )

    @property
    def pending(self) -> int:
        """Spans that have ended and are neither delivered nor dropped."""
        return self._pending

    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            reason = self._refusal()
            if reason is None:
                self._pending += 1
        if reason is None:
            self._batches.on_end(span)
        else:
            self._on_drop(reason, 1)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Deliver what has ended so far; waits for the exporter, so call it from a thread."""
        return self._batches.force_flush(timeout_millis)

    def shutdown(self) -> None:
        self.close(timeout_s=30)

    def close(self, timeout_s: float) -> None:
        """Deliver what is left, but go after `timeout_s` and count as dropped what was not delivered."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        closing = threading.Thread(target=self._batches.shutdown, daemon=True)
        closing.start()
        closing.join(timeout_s)
        if self._pending:
            self._on_drop(Drop.CLOSED, self._pending)

    def _refusal(self) -> Drop | None:
        if self._closed:
            return Drop.CLOSED
        return Drop.QUEUE_FULL if self._pending >= self._capacity else None

    def _settle(self, count: int, delivered: bool) -> None:
        with self._lock:
            self._pending -= count
        if not delivered:
            self._on_drop(Drop.EXPORT_FAILED, count)


class _Accounted(SpanExporter):
    """Reports each batch's fate; a failing destination costs its spans and one log line, never an exception."""

    def __init__(self, inner: SpanExporter, settle: Callable[[int, bool], None]) -> None:
        self._inner = inner
        self._settle = settle

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._inner.export(spans)
        except Exception as error:  # the edge of the exporting thread
            _log.warning("spans_not_exported", count=len(spans), error_type=type(error).__name__)
        self._settle(len(spans), result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()
