import gzip
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from sqlalchemy.exc import OperationalError

from telemetry import Telemetry
from telemetry.identity import turn_span_id
from telemetry.names import ENGINE_QUEUE_S, ERROR_TYPE, PLACEMENT_CANDIDATES
from telemetry.propagation import TraceParent
from telemetry.receiver import MAX_BODY_BYTES, PROTOBUF, receiver_app
from telemetry.record import SpanRecord
from tests.telemetry.spans import TRACE_ID, Replica

CANARY = "my card is 4111 1111 1111 1111"
PARENT = TraceParent(TRACE_ID, turn_span_id("trn_1"))


class Sink:
    """Keeps what the receiver saves, or fails."""

    def __init__(self) -> None:
        self.saved: list[SpanRecord] = []
        self.error: Exception | None = None

    def save(self, records: Sequence[SpanRecord]) -> None:
        if self.error is not None:
            raise self.error
        self.saved.extend(records)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
async def client(sink: Sink) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(receiver_app(sink.save))
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
        yield client


def request_of(*spans: Span) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(text("service.name", "r1"))
    resource.scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def engine_span(**more: object) -> Span:
    return Span(
        trace_id=bytes.fromhex(TRACE_ID),
        span_id=b"\x01" * 8,
        parent_span_id=bytes.fromhex(PARENT.span_id),
        name="llm_request",
        start_time_unix_nano=1_795_240_498_731_525_807,
        end_time_unix_nano=1_795_240_498_931_525_807,
        **more,
    )


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in {"content_type": PROTOBUF, **headers}.items()}
    return await client.post("/v1/traces", content=body, headers=named)


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_the_engines_span_arrives_under_its_parent(telemetry: Telemetry, compression: Compression) -> None:
    replica = Replica(telemetry.receiver.port, "r1", compression)

    replica.answer(str(PARENT), gen_ai_input_messages=CANARY)

    (record,) = await telemetry.store.trace(TRACE_ID)
    assert (record.name, record.service, record.parent_id) == ("llm_request", "r1", PARENT.span_id)
    assert record.attributes == {ENGINE_QUEUE_S: 0.012}
    assert record.end_ns >= record.start_ns > 1_700_000_000 * 10**9
    assert b"pindesk_received_spans_total 1.0" in telemetry.metrics.render()
    replica.close()


async def test_the_answer_is_otlps(client: httpx.AsyncClient) -> None:
    response = await post(client, request_of(engine_span()))

    assert (response.status_code, response.headers["content-type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(response.content) == ExportTraceServiceResponse()


async def test_no_text_passes(client: httpx.AsyncClient, sink: Sink) -> None:
    span = engine_span(
        attributes=[
            text("gen_ai.prompt", CANARY),
            KeyValue(key=ENGINE_QUEUE_S, value=AnyValue(double_value=0.5)),
            KeyValue(
                key=PLACEMENT_CANDIDATES,
                value=AnyValue(array_value={"values": [AnyValue(string_value="r0"), AnyValue(int_value=1)]}),
            ),
            KeyValue(key="gen_ai.request.id", value=AnyValue(kvlist_value={"values": [text("a", CANARY)]})),
            KeyValue(key="gen_ai.request.n"),
        ],
        events=[Span.Event(name="exception", attributes=[text("exception.message", CANARY)])],
        status=Status(code=Status.STATUS_CODE_ERROR, message=CANARY),
    )

    await post(client, request_of(span))

    (record,) = sink.saved
    assert CANARY not in repr(record)
    assert record.attributes == {ENGINE_QUEUE_S: 0.5, PLACEMENT_CANDIDATES: ["r0", 1], ERROR_TYPE: "_OTHER"}
    assert [event["name"] for event in record.events] == ["exception"]


async def test_a_span_without_ids_is_left_out(client: httpx.AsyncClient, sink: Sink) -> None:
    response = await post(client, request_of(Span(name="llm_request"), engine_span()))

    assert response.status_code == 200
    assert len(sink.saved) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"content_type": "application/json"}, 415),
        (b"", {"content_encoding": "br"}, 415),
        (b"\xff\xff\xff", {}, 400),
        (b"not gzip", {"content_encoding": "gzip"}, 400),
        (gzip.compress(request_of(engine_span()))[:-9], {"content_encoding": "gzip"}, 400),
        (b"x" * (MAX_BODY_BYTES + 1), {}, 413),
        (gzip.compress(b"\0" * (MAX_BODY_BYTES + 1)), {"content_encoding": "gzip"}, 413),
    ],
    ids=["json", "brotli", "not protobuf", "not gzip", "cut gzip", "too long", "too long when unpacked"],
)
async def test_what_is_not_otlp_is_refused(
    client: httpx.AsyncClient, sink: Sink, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = await post(client, body, **headers)

    assert response.status_code == status
    assert sink.saved == []


async def test_a_store_that_is_away_makes_the_sender_try_again(client: httpx.AsyncClient, sink: Sink) -> None:
    sink.error = OperationalError("insert", {}, Exception("locked"))

    response = await post(client, request_of(engine_span()))

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


async def test_nothing_else_is_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/traces")).status_code == 405
    assert (await client.get("/")).status_code == 404
