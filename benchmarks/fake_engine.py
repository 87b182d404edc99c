"""A replica that costs next to nothing: `python -m benchmarks.fake_engine --port 9000`.

The shape of vLLM's OpenAI server without a model: every chat completion is `max_tokens` chunks, all at once or one
each `--chunk-ms`. What a proxy in front of it adds is the proxy's. One process, one core, a few thousand replies a
second; the parser is httptools, as in uvicorn, without anything around it.
"""

import argparse
import asyncio
import json
import time
from typing import Any

import httptools
import uvloop

MODEL = "pindesk"
_JSON = b"application/json"
_EVENTS = b"text/event-stream; charset=utf-8"


class Connection(asyncio.Protocol):
    """One keep-alive connection; a request at a time, as clients send them."""

    def __init__(self, chunk_s: float) -> None:
        self._chunk_s = chunk_s
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._path, self._body = b"", b""
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no subclass of asyncio's

    def connection_lost(self, error: Exception | None) -> None:
        if self._answering:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path, self._body = url, b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._path != b"/v1/chat/completions":
            self._transport.write(_whole(*_answer(self._path)))
            return
        asked = json.loads(self._body)
        if asked.get("stream"):
            self._answering = asyncio.ensure_future(self._stream(asked))
        else:
            self._transport.write(_whole(_JSON, _completion(asked)))

    async def _stream(self, asked: dict[str, Any]) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % _EVENTS
        self._transport.write(head)
        for event in _events(asked):
            self._transport.write(_chunk(b"data: " + event + b"\n\n"))
            # Also without a pause each chunk is a write of its own, as vLLM's are.
            await asyncio.sleep(self._chunk_s)
        self._transport.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _events(asked: dict[str, Any]) -> list[bytes]:
    count = int(asked.get("max_tokens") or 16)
    deltas = [{"role": "assistant", "content": ""}, *({"content": " word"} for _ in range(count - 1))]
    events = [_event(choices=[_choice(delta=delta, finish_reason=None)]) for delta in deltas]
    events.append(_event(choices=[_choice(delta={"content": "."}, finish_reason="length")]))
    if (asked.get("stream_options") or {}).get("include_usage"):
        events.append(_event(choices=[], usage=_usage(count)))
    return events


def _completion(asked: dict[str, Any]) -> bytes:
    count = int(asked.get("max_tokens") or 16)
    choice = _choice(message={"role": "assistant", "content": " word" * count}, finish_reason="length")
    return _event("chat.completion", choices=[choice], usage=_usage(count))


def _choice(**members: Any) -> dict[str, Any]:
    return {"index": 0, "logprobs": None, **members}


def _event(kind: str = "chat.completion.chunk", **members: Any) -> bytes:
    envelope = {"id": "chatcmpl-0", "object": kind, "created": int(time.time()), "model": MODEL}
    return json.dumps(envelope | members, separators=(",", ":")).encode()


def _usage(count: int) -> dict[str, Any]:
    details = {"cached_tokens": 64}
    return {
        "prompt_tokens": 96,
        "completion_tokens": count,
        "total_tokens": 96 + count,
        "prompt_tokens_details": details,
    }


def _answer(path: bytes) -> tuple[bytes, bytes]:
    if path == b"/metrics":
        return b"text/plain", b"process_start_time_seconds %d\nvllm:num_requests_running 0\n" % _STARTED
    if path == b"/v1/models":
        card = {"id": MODEL, "object": "model", "created": 0, "owned_by": "vllm", "max_model_len": 4096}
        return _JSON, json.dumps({"object": "list", "data": [card]}).encode()
    return _JSON, b"{}"


_STARTED = int(time.time())


def _chunk(block: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(block), block)


def _whole(kind: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (kind, len(body), body)


async def serve(port: int, chunk_ms: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(chunk_ms / 1000), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chunk-ms", type=float, default=0.0, help="pause after each chunk")
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.chunk_ms))


if __name__ == "__main__":
    main()
