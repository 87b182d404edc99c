"""The allow-list: what is not known to be free of customers' text is left out, never masked later."""

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from telemetry.names import ALLOWED_ATTRIBUTES, ERROR_TYPE, EXCEPTION, EXCEPTION_TYPE

MAX_TEXT_CHARACTERS = 200
MAX_ITEMS = 32

Scalar = str | bool | int | float
Value = Scalar | list[Scalar]
Attributes = dict[str, Value]


def allowed(attributes: Mapping[str, object] | None) -> Attributes:
    """Keep the attributes that names.py lists, cut to 200 characters and 32 items; drop every other key and type."""
    kept = {}
    for key, value in (attributes or {}).items():
        if key in ALLOWED_ATTRIBUTES and (safe := _bounded(value)) is not None:
            kept[key] = safe
    return kept


def with_error_type(attributes: Attributes, events: Sequence[tuple[str, Attributes]]) -> Attributes:
    """Name the error of a span with status ERROR: its own `error.type`, else that of its last exception."""
    if ERROR_TYPE in attributes:
        return attributes
    raised = [found.get(EXCEPTION_TYPE) for name, found in events if name == EXCEPTION]
    return {**attributes, ERROR_TYPE: next((kind for kind in reversed(raised) if kind), "_OTHER")}


class AllowedExporter(SpanExporter):
    """Passes spans on with nothing but allowed attributes: no exception message, stack trace or status text."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_stripped(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _stripped(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=allowed(span.attributes),
        events=[Event(event.name, allowed(event.attributes), event.timestamp) for event in span.events],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bounded(value: object) -> Value | None:
    if isinstance(value, str):
        return value[:MAX_TEXT_CHARACTERS]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        items = [_bounded(item) for item in value[:MAX_ITEMS]]
        return [item for item in items if item is not None and not isinstance(item, list)]
    return None
