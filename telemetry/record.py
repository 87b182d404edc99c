"""One ended span as the built-in store keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from telemetry.allow import Attributes, allowed, with_error_type
from telemetry.names import ERROR_TYPE

MAX_NAME_CHARACTERS = 64


class EventRecord(TypedDict):
    """A moment on a span."""

    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """Ids in lower-case hex (32 and 16 digits), times in nanoseconds since the epoch, attributes already allowed."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    start_ns: int
    end_ns: int
    attributes: Attributes = field(default_factory=dict)
    events: list[EventRecord] = field(default_factory=list)


def from_span(span: ReadableSpan) -> SpanRecord:
    """Take over an ended span of this process."""
    events = [(event.name, allowed(event.attributes), event.timestamp) for event in span.events]
    attributes = allowed(span.attributes)
    if span.status.status_code is StatusCode.ERROR:
        attributes = with_error_type(attributes, [event[:2] for event in events])
    return SpanRecord(
        trace_id=f"{span.context.trace_id:032x}",
        span_id=f"{span.context.span_id:016x}",
        parent_id=f"{span.parent.span_id:016x}" if span.parent else None,
        name=cut(span.name),
        service=cut(str(span.resource.attributes.get(SERVICE_NAME, ""))),
        start_ns=span.start_time,
        end_ns=span.end_time,
        attributes=attributes,
        events=event_records(events),
    )


def to_span(record: SpanRecord) -> ReadableSpan:
    """The span as an exporter takes it, for one that a replica sent and a collector is to have too."""
    trace_id = int(record.trace_id, 16)
    parent = _context(trace_id, int(record.parent_id, 16)) if record.parent_id else None
    return ReadableSpan(
        name=record.name,
        context=_context(trace_id, int(record.span_id, 16)),
        parent=parent,
        resource=Resource({SERVICE_NAME: record.service}),
        attributes=record.attributes,
        events=[Event(event["name"], event["attributes"], event["time_ns"]) for event in record.events],
        kind=SpanKind.SERVER,
        status=Status(StatusCode.ERROR if ERROR_TYPE in record.attributes else StatusCode.UNSET),
        start_time=record.start_ns,
        end_time=record.end_ns,
    )


def event_records(events: Sequence[tuple[str, Attributes, int]]) -> list[EventRecord]:
    return [EventRecord(name=cut(name), time_ns=time_ns, attributes=found) for name, found, time_ns in events]


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def cut(name: str) -> str:
    return name[:MAX_NAME_CHARACTERS]
