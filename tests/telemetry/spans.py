"""Spans to test with."""

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context

from telemetry.names import ENGINE_QUEUE_S, LLM_REQUEST
from telemetry.propagation import parsed
from telemetry.record import SpanRecord

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def span(
    span_id: str,
    parent_id: str | None = None,
    name: str = "turn",
    *,
    trace_id: str = TRACE_ID,
    service: str = "web",
    start_ns: int = 1,
    end_ns: int = 2,
    **attributes: object,
) -> SpanRecord:
    """A record whose ids are written short: "a" stands for "a000000000000000"."""
    parent = parent_id.ljust(16, "0") if parent_id else None
    return SpanRecord(trace_id, span_id.ljust(16, "0"), parent, name, service, start_ns, end_ns, attributes)


class Replica:
    """Sends an engine's span as vLLM does: the SDK's own exporter, a resource that names the replica."""

    def __init__(self, port: int, name: str = "r0", compression: Compression = Compression.NoCompression) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": name}))
        endpoint = f"http://127.0.0.1:{port}/v1/traces"
        self._provider.add_span_processor(
            SimpleSpanProcessor(OTLPSpanExporter(endpoint=endpoint, compression=compression, timeout=5))
        )

    def answer(self, traceparent: str, **more: str) -> None:
        """Continue the caller's trace with one `llm_request`; `more` are attributes with _ for a dot."""
        parent = set_span_in_context(NonRecordingSpan(parsed(traceparent).context()))
        attributes = {ENGINE_QUEUE_S: 0.012, **{key.replace("_", "."): value for key, value in more.items()}}
        tracer = self._provider.get_tracer("vllm")
        tracer.start_span(LLM_REQUEST, parent, SpanKind.SERVER, attributes).end()

    def close(self) -> None:
        self._provider.shutdown()
