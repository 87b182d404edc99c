"""The built-in OTLP/HTTP receiver: where replicas send the engine's spans.

Protocol: https://opentelemetry.io/docs/specs/otlp/#otlphttp, binary protobuf, plain or gzip. 503 with `Retry-After`
makes the sender keep its batch and try again.
"""

import asyncio
import zlib
from collections.abc import Callable, Sequence

import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telemetry.otlp import NotOtlp, read_request
from telemetry.record import SpanRecord

MAX_BODY_BYTES = 8 * 1024 * 1024
PROTOBUF = "application/x-protobuf"
_ANSWER = ExportTraceServiceResponse().SerializeToString()

_log = structlog.get_logger("telemetry")


def receiver_app(save: Callable[[Sequence[SpanRecord]], None]) -> Starlette:
    """The receiver as an ASGI app; `save` runs in a thread and may raise SQLAlchemyError."""

    async def receive(request: Request) -> Response:
        records = _read(request, await _body(request))
        try:
            await asyncio.to_thread(save, records)
        except SQLAlchemyError as error:
            _log.warning("spans_not_stored", count=len(records), error_type=type(error).__name__)
            raise HTTPException(503, headers={"Retry-After": "1"}) from error
        return Response(_ANSWER, media_type=PROTOBUF)

    return Starlette(routes=[Route("/v1/traces", receive, methods=["POST"])])


def _read(request: Request, body: bytes) -> list[SpanRecord]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != PROTOBUF:
        raise HTTPException(415, f"send {PROTOBUF}")
    try:
        return read_request(_unpacked(body, request.headers.get("content-encoding", "identity")))
    except NotOtlp as error:
        raise HTTPException(400, "not an OTLP trace export request") from error


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise HTTPException(413)
        parts.append(part)
    return b"".join(parts)


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise HTTPException(415, "send plain or gzip")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise HTTPException(400, "not gzip") from error
    if not unpacker.eof:
        raise HTTPException(413 if len(plain) == MAX_BODY_BYTES else 400)
    return plain
