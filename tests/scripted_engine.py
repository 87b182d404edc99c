"""A replica that does what a test tells it: the shape of vLLM's OpenAI server, and every way that one can fail.

    async with ScriptedEngine() as engine:
        engine.enqueue(Script(['{"action":', '"reply"}']), Script(fault=Fault.BUSY))

Each generation takes the next script; requests for one token (warm-up, proof of life) take none.
"""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from aiohttp import web

MODEL = "pindesk"


class Fault(StrEnum):
    BUSY = "busy"  # 503 before anything
    RATE_LIMITED = "rate_limited"  # 429
    CRASHED = "crashed"  # 500
    BAD_REQUEST = "bad_request"  # 400
    SILENT = "silent"  # accepts the request and never answers
    HANG = "hang"  # stands still after the pieces
    TRUNCATE = "truncate"  # the connection breaks after the pieces
    END = "end"  # the stream closes cleanly after the pieces: no finish reason, no usage, no [DONE]
    ABORT = "abort"  # finish reason `abort` after the pieces
    ERROR = "error"  # an error chunk inside the stream, as vLLM writes it
    GARBAGE = "garbage"  # a data line that is no JSON
    NO_USAGE = "no_usage"  # all well, but no usage chunk


@dataclass(frozen=True)
class Script:
    """What one generation does: the pieces, each after `delay_s`, the first after `first_delay_s`, then the fault."""

    pieces: Sequence[str] = ()
    fault: Fault | None = None
    delay_s: float = 0.0
    first_delay_s: float = 0.0
    finish_reason: str = "stop"
    choices: int = 1  # all of them say the same
    prompt_tokens: int = 20
    cached_tokens: int | None = 0
    fingerprint: str | None = None  # in the chunk with the usage


@dataclass
class Call:
    """One generation as the engine saw it."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    peer: tuple[str, int] | None = None  # the client's end of the connection
    at: float = field(default_factory=time.monotonic)
    aborted: asyncio.Event = field(default_factory=asyncio.Event)
    finished: bool = False


_STATUS = {Fault.BUSY: 503, Fault.RATE_LIMITED: 429, Fault.CRASHED: 500, Fault.BAD_REQUEST: 400}


class ScriptedEngine:
    """`calls` are the generations, `probes` the requests for one token, in order of arrival."""

    def __init__(self, port: int = 0, model: str = MODEL) -> None:
        self.calls: list[Call] = []
        self.probes: list[Call] = []
        self.always: Script | None = None  # what a generation does when no script is left
        self.mute = False  # /metrics and proofs of life hang
        self.mute_probes = False  # proofs of life hang, /metrics answers: a hung engine
        self.serves_model = True
        self.waiting = 0
        self.kv_usage = 0.0
        self._port, self._model = port, model
        self._scripts: deque[Script] = deque()
        self._running = 0
        self._boots = itertools.count(1)
        self.boot_id = self._next_boot()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def enqueue(self, *scripts: Script) -> None:
        self._scripts.extend(scripts)

    def share(self, scripts: deque[Script]) -> None:
        """Take from these from now on, as other engines do too: whoever is asked next plays the next one."""
        self._scripts = scripts

    def clear(self) -> None:
        """Forget the scripts that are left."""
        self._scripts.clear()

    async def start(self) -> None:
        """Listen; on the port of the last time if there was one."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/health", self._health),
                web.get("/v1/models", self._models),
                web.post("/v1/chat/completions", self._complete),
                web.post("/tokenize", self._tokenize),
            ]
        )
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away: running streams break, new connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Another boot on the same address: everything that was cached is gone."""
        await self.stop()
        self.boot_id = self._next_boot()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _next_boot(self) -> str:
        return f"{int(time.time()) + next(self._boots)}.25"

    async def _metrics(self, request: web.Request) -> web.Response:
        await self._hang_if(self.mute)
        label = f'{{engine="0",model_name="{self._model}"}}'
        lines = [
            f"process_start_time_seconds {self.boot_id}",
            f"vllm:num_requests_running{label} {float(self._running)}",
            f"vllm:num_requests_waiting{label} {float(self.waiting)}",
            f"vllm:kv_cache_usage_perc{label} {self.kv_usage}",
        ]
        return web.Response(text="\n".join(lines) + "\n")

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        await self._hang_if(self.mute)
        card = {"id": self._model, "object": "model", "max_model_len": 4096}
        return web.json_response({"object": "list", "data": [card] if self.serves_model else []})

    async def _tokenize(self, request: web.Request) -> web.Response:
        """One token a byte, so that a test can compare prefixes."""
        text = "".join(f"{line['role']}\n{line['content']}\n" for line in (await request.json())["messages"])
        return web.json_response({"tokens": list(text.encode()), "count": len(text.encode())})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        peer = request.transport and request.transport.get_extra_info("peername")
        call = Call(await request.json(), dict(request.headers), peer)
        script = self._take(call)
        with self._counted(call):
            await self._hang_if(script.fault is Fault.SILENT)
            if script.fault in _STATUS:
                error = {"message": f"scripted: {script.fault}", "type": "scripted", "code": _STATUS[script.fault]}
                return web.json_response({"error": error}, status=_STATUS[script.fault])
            if not call.body.get("stream"):
                return web.json_response(self._whole(script))
            return await self._stream(request, call, script)

    def _take(self, call: Call) -> Script:
        if call.body.get("max_tokens") == 1:
            self.probes.append(call)
            return Script(["{"], Fault.SILENT if self.mute or self.mute_probes else None, finish_reason="length")
        self.calls.append(call)
        if self._scripts:
            return self._scripts.popleft()
        return self.always or Script(fault=Fault.CRASHED)

    @contextmanager
    def _counted(self, call: Call) -> Iterator[None]:
        """Count a running generation and note when its client goes away."""
        self._running += 1
        try:
            yield
        except BaseException:
            call.aborted.set()
            raise
        finally:
            self._running -= 1

    async def _stream(self, request: web.Request, call: Call, script: Script) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        async for event in self._events(script):
            await response.write(f"data: {event}\n\n".encode())
        if script.fault is Fault.TRUNCATE and request.transport is not None:
            request.transport.abort()
            return response
        await self._hang_if(script.fault is Fault.HANG)
        call.finished = True
        await response.write_eof()
        return response

    async def _events(self, script: Script) -> AsyncIterator[str]:
        for index, piece in enumerate(script.pieces):
            await asyncio.sleep(script.delay_s if index else script.first_delay_s)
            for choice in range(script.choices):
                yield self._chunk({"role": "assistant", "content": piece} if index == 0 else {"content": piece}, choice)
        if script.fault in (Fault.HANG, Fault.TRUNCATE, Fault.END):
            return
        if script.fault is Fault.ERROR:
            yield json.dumps({"error": {"message": "EngineCore died", "type": "InternalServerError", "code": 500}})
        elif script.fault is Fault.GARBAGE:
            yield '{"id": "chatcmpl-1", "choices": [{"delta": {"conte'
        else:
            reason = "abort" if script.fault is Fault.ABORT else script.finish_reason
            for choice in range(script.choices):
                yield self._chunk({"content": ""}, choice, reason)
            if script.fault is not Fault.NO_USAGE:
                yield json.dumps(self._envelope("chat.completion.chunk") | {"choices": []} | _signed(script))
        yield "[DONE]"

    def _chunk(self, delta: dict[str, str], index: int, finish_reason: str | None = None) -> str:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return json.dumps(self._envelope("chat.completion.chunk") | {"choices": [choice]})

    def _whole(self, script: Script) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(script.pieces)}
        choice = {"index": 0, "message": message, "finish_reason": script.finish_reason}
        return self._envelope("chat.completion") | {"choices": [choice], "usage": _usage(script)}

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": self._model}

    async def _hang_if(self, hangs: bool) -> None:
        if hangs:
            await asyncio.Event().wait()


def _signed(script: Script) -> dict[str, Any]:
    signature = {"system_fingerprint": script.fingerprint} if script.fingerprint else {}
    return {"usage": _usage(script)} | signature


def _usage(script: Script) -> dict[str, Any]:
    completion = len(script.pieces)
    usage: dict[str, Any] = {"prompt_tokens": script.prompt_tokens, "completion_tokens": completion}
    usage["total_tokens"] = script.prompt_tokens + completion
    if script.cached_tokens is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": script.cached_tokens}
    return usage
