"""OTLP's protobuf messages to span records (opentelemetry-proto, collector/trace/v1)."""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from telemetry.allow import allowed, with_error_type
from telemetry.record import SpanRecord, cut, event_records


class NotOtlp(Exception):
    """The bytes are not an OTLP export request."""


def read_request(body: bytes) -> list[SpanRecord]:
    """Read an export request, keeping nothing but allowed attributes; raises `NotOtlp`.

    Spans without valid ids are left out.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise NotOtlp from error
    return [record for resource in request.resource_spans for record in _records(resource)]


def _records(resource: ResourceSpans) -> Iterator[SpanRecord]:
    service = next((item.value.string_value for item in resource.resource.attributes if item.key == "service.name"), "")
    for scope in resource.scope_spans:
        for span in scope.spans:
            if len(span.trace_id) == 16 and len(span.span_id) == 8:
                yield _record(span, cut(service))


def _record(span: Span, service: str) -> SpanRecord:
    events = [(event.name, allowed(_plain(event.attributes)), event.time_unix_nano) for event in span.events]
    attributes = allowed(_plain(span.attributes))
    if span.status.code == Status.STATUS_CODE_ERROR:
        attributes = with_error_type(attributes, [event[:2] for event in events])
    return SpanRecord(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        name=cut(span.name),
        service=service,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=attributes,
        events=event_records(events),
    )


def _plain(items: Iterable[KeyValue]) -> dict[str, Any]:
    return {item.key: _value(item.value) for item in items}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
