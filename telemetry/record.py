"""One ended span as the built-in store keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from opentelemetry.sdk.resources import SERVICE_NAME
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from telemetry.allow import Attributes, allowed, with_error_type

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


def event_records(events: Sequence[tuple[str, Attributes, int]]) -> list[EventRecord]:
    return [EventRecord(name=cut(name), time_ns=time_ns, attributes=found) for name, found, time_ns in events]


def cut(name: str) -> str:
    return name[:MAX_NAME_CHARACTERS]
