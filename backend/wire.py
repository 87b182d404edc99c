"""What really passed between us and a replica, watched beneath LiteLLM.

LiteLLM 1.109 skips a stream's unreadable lines and, where the engine sent none, makes up a finish reason and a usage.
So each attempt carries a `Wire`: the transport reads every event on its way up, raises for what is broken, and
keeps the engine's own finish reason and usage.
"""

import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx

from backend.errors import BadRequest, ConnectFailed, EngineAborted, EngineError, Overloaded, StreamBroken

# Below the 5 s after which a stock vLLM closes an idle connection: a reused dead one would look like a dead replica.
_IDLE_S = 4.0

_BUSY = (429, 503)
_ABORTED = ("abort", "error")

watched: ContextVar["Wire"] = ContextVar("watched")


@dataclass
class Wire:
    """One attempt's traffic. `error` is the first fault seen; `text_chars` counts the text that the engine sent."""

    replica_id: str
    error: EngineError | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    text_chars: int = 0

    def fail(self, error: EngineError) -> EngineError:
        self.error = self.error or error
        return self.error

    def read(self, event: str) -> None:
        """Take one `data:` payload of the stream. Raises StreamBroken or EngineAborted."""
        if event == "[DONE]":
            return
        try:
            chunk = json.loads(event)
        except ValueError as fault:
            raise self.fail(StreamBroken(self.replica_id, "an event is no JSON")) from fault
        if not isinstance(chunk, dict) or "error" in chunk:
            raise self.fail(EngineAborted(self.replica_id, "error in the stream"))
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk.get("choices") or ():
            self._read_choice(choice)

    def _read_choice(self, choice: dict[str, Any]) -> None:
        self.text_chars += len((choice.get("delta") or {}).get("content") or "")
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        if self.finish_reason in _ABORTED:
            raise self.fail(EngineAborted(self.replica_id, f"finish reason {self.finish_reason}"))

    def finished(self) -> str:
        """The engine's finish reason. Raises StreamBroken when the stream ended without one."""
        if self.finish_reason is None:
            raise self.fail(StreamBroken(self.replica_id, "ended without a finish reason"))
        return self.finish_reason


class WatchedTransport(httpx.AsyncBaseTransport):
    """The HTTP below LiteLLM. Its own deadlines hold, whatever LiteLLM asks for; it never retries."""

    def __init__(self, connect_s: float, stall_s: float) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_IDLE_S)
        self._inner = httpx.AsyncHTTPTransport(limits=limits)
        # Reading has no deadline here: first token and stall are the engine's to time.
        self._timeout = httpx.Timeout(None, connect=connect_s, pool=connect_s, write=stall_s).as_dict()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises ConnectFailed, StreamBroken, Overloaded, BadRequest, EngineAborted, all noted on the wire too."""
        wire = watched.get()
        request.extensions = request.extensions | {"timeout": self._timeout}
        try:
            response = await self._inner.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            raise wire.fail(ConnectFailed(wire.replica_id, type(fault).__name__)) from fault
        except httpx.TransportError as fault:
            raise wire.fail(StreamBroken(wire.replica_id, type(fault).__name__)) from fault
        if response.status_code != httpx.codes.OK:
            await response.aclose()
            raise wire.fail(_refusal(wire.replica_id, response.status_code))
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = _WatchedStream(response.stream, wire)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _WatchedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream | httpx.AsyncByteStream, wire: Wire) -> None:
        assert isinstance(inner, httpx.AsyncByteStream)
        self._inner, self._wire = inner, wire
        self._rest = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for block in self._inner:
                self._read(block)
                yield block
            self._wire.finished()
        except httpx.TransportError as fault:
            raise self._wire.fail(StreamBroken(self._wire.replica_id, type(fault).__name__)) from fault

    def _read(self, block: bytes) -> None:
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._wire.read(line[5:].strip().decode(errors="replace"))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _refusal(replica_id: str, status: int) -> EngineError:
    # The body is not quoted: vLLM's validation errors repeat the customer's words.
    if status in _BUSY:
        return Overloaded(replica_id, f"HTTP {status}")
    if status < 500:
        return BadRequest(replica_id, f"HTTP {status}")
    return EngineAborted(replica_id, f"HTTP {status}")
