"""The HTTP connections to the replicas, and the stream of one answer.

aiohttp, because a request through it costs 0.3 ms of CPU and one through httpx 0.7 to 1.1 ms (measured against
`benchmarks.fake_engine`). It never repeats a POST.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import orjson

from backend.errors import BadRequest, ConnectFailed, EngineAborted, EngineError, Overloaded, StreamBroken
from backend.wire import Event, Wire

# Below the 5 s after which a stock vLLM closes an idle connection: a reused dead one would look like a dead replica.
_IDLE_S = 4.0

_BUSY = (429, 503)
# Nothing is gained by compression on the way to a neighbour, and it would hold events back.
_HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}


class Upstream:
    """The connections of one process. Its own deadline to connect holds; first token and stall are its user's."""

    def __init__(self, connect_s: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_s, sock_connect=connect_s)
        self._opened: aiohttp.ClientSession | None = None

    async def post(self, wire: Wire, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> "Answer":
        """Ask for a stream. Raises ConnectFailed, StreamBroken, Overloaded, BadRequest, EngineAborted."""
        data = orjson.dumps(body)
        try:
            response = await self._session().post(url, data=data, headers=_HEADERS | headers, allow_redirects=False)
        except (aiohttp.ClientConnectionError, OSError) as fault:
            # Also an idle connection that the replica has closed and of which we have not heard yet.
            raise wire.fail(ConnectFailed(wire.replica_id, type(fault).__name__)) from fault
        except aiohttp.ClientError as fault:
            raise wire.fail(StreamBroken(wire.replica_id, type(fault).__name__)) from fault
        if response.status != 200:
            response.close()
            raise wire.fail(_refusal(wire.replica_id, response.status))
        return Answer(response, wire)

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        # Made at the first call, because aiohttp wants the loop that it will run on.
        if self._opened is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S)
            jar = aiohttp.DummyCookieJar()
            self._opened = aiohttp.ClientSession(connector=connector, cookie_jar=jar, timeout=self._timeout)
        return self._opened


class Answer:
    """A replica's answer while it arrives. `close` before its end hangs up, which ends the generation."""

    def __init__(self, response: aiohttp.ClientResponse, wire: Wire) -> None:
        self._response, self._wire = response, wire

    async def events(self) -> AsyncGenerator[list[Event], None]:
        """The events, as many at once as have arrived together. Raises what `Wire.read` does, and StreamBroken."""
        rest = b""
        try:
            async for block in self._blocks():
                *lines, rest = (rest + block).split(b"\n")
                if events := self._read(lines):
                    yield events
                if self._wire.error:
                    raise self._wire.error
        finally:
            self.close()

    async def _blocks(self) -> AsyncGenerator[bytes, None]:
        content = self._response.content
        try:
            async for block in content.iter_any():
                yield block
        except (aiohttp.ClientError, OSError) as fault:
            # aiohttp tells of a break before it hands out what has arrived until then, and has no public way to it.
            if left := content._read_nowait(-1):
                yield left
            raise self._wire.fail(StreamBroken(self._wire.replica_id, type(fault).__name__)) from fault

    def _read(self, lines: list[bytes]) -> list[Event]:
        """The events in `lines`, up to the first that is broken: what came before it did arrive."""
        events = []
        with suppress(EngineError):  # the wire has noted it
            for line in lines:
                if line.startswith(b"data:") and (event := self._wire.read(line[5:].strip())):
                    events.append(event)
        return events

    def close(self) -> None:
        self._response.close()


def _refusal(replica_id: str, status: int) -> EngineError:
    # The body is not quoted: vLLM's validation errors repeat the customer's words.
    if status in _BUSY:
        return Overloaded(replica_id, f"HTTP {status}")
    if status < 500:
        return BadRequest(replica_id, f"HTTP {status}")
    return EngineAborted(replica_id, f"HTTP {status}")
