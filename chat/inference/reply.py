"""A completion on the wire: relayed event by event, or put together from its events and sent whole."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import aclosing
from types import TracebackType
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from backend.errors import EngineError
from backend.wire import Event
from chat.errors import ApiError
from chat.inference.completion import BadGateway, Completion, broken_off

_DONE = b"data: [DONE]\n\n"


class Reply:
    """The ASGI response. A client that hangs up ends the generation at the engine, whenever that is."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._outcome = "failed"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = _Line(receive)
        try:
            async with line:
                if self._completion.asked.stream:
                    await self._stream(send)
                else:
                    await self._whole(scope, receive, send)
        except ApiError:
            self._outcome = "refused"
            raise
        except asyncio.CancelledError:
            self._outcome = "stopped"
            if not line.hung_up:
                raise
        finally:
            self._completion.trace.ended(self._outcome)

    async def _stream(self, send: Send) -> None:
        last = _DONE
        async with aclosing(self._completion.run()) as batches:
            batch = await anext(batches)
            await send(self._start())
            try:
                while batch is not None:
                    if block := self._relayed(batch):
                        await send({"type": "http.response.body", "body": block, "more_body": True})
                    batch = await anext(batches, None)
                self._outcome = "done"
            except EngineError as error:
                # No [DONE] and no finish reason: nobody can take it for a whole reply.
                last = b"data: %s\n\n" % json.dumps({"error": broken_off(error)}).encode()
        await send({"type": "http.response.body", "body": last})

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = Whole()
        try:
            async with aclosing(self._completion.run()) as batches:
                async for batch in batches:
                    whole.add(batch)
        except EngineError as error:
            raise BadGateway("The reply broke off.", code=error.code) from error
        assert self._completion.wire is not None
        body = whole.body | {"usage": self._completion.wire.usage}
        self._outcome = "done"
        await JSONResponse(body, headers=self._headers())(scope, receive, send)

    def _start(self) -> dict[str, Any]:
        headers = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"} | self._headers()
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return {"type": "http.response.start", "status": 200, "headers": raw}

    def _headers(self) -> dict[str, str]:
        completion = self._completion
        assert completion.replica is not None and completion.ranking is not None
        return {
            "X-Replica": completion.replica.id,
            "X-Placement": completion.ranking.reason,
            "X-Request-Id": completion.trace.trace_id,
        }

    def _relayed(self, batch: Iterable[Event]) -> bytes:
        # The usage is always asked of the engine, because the pin learns from it.
        keeps_all = self._completion.asked.include_usage
        return b"".join(b"data: %s\n\n" % event.raw for event in batch if keeps_all or event.choices)


class Whole:
    """A `chat.completion` from the chunks of its stream."""

    def __init__(self) -> None:
        self._envelope: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, batch: Iterable[Event]) -> None:
        for event in batch:
            if not self._envelope:
                self._envelope = {name: event.chunk[name] for name in ("id", "created", "model") if name in event.chunk}
            for choice in event.choices:
                self._add_choice(choice)

    @property
    def body(self) -> dict[str, Any]:
        choices = [self._choices[index] for index in sorted(self._choices)]
        return self._envelope | {"object": "chat.completion", "choices": choices}

    def _add_choice(self, chunk: dict[str, Any]) -> None:
        index = chunk.get("index") or 0
        message = {"role": "assistant", "content": ""}
        begun = {"index": index, "message": message, "logprobs": None, "finish_reason": None}
        choice = self._choices.setdefault(index, begun)
        delta = {name: value for name, value in (chunk.get("delta") or {}).items() if name != "role"}
        _extend(choice["message"], delta)
        if logprobs := chunk.get("logprobs"):
            choice["logprobs"] = choice["logprobs"] or {}
            _extend(choice["logprobs"], logprobs)
        choice["finish_reason"] = chunk.get("finish_reason") or choice["finish_reason"]


def _extend(whole: dict[str, Any], part: dict[str, Any]) -> None:
    """Append texts and lists to what is there under the same name."""
    for name, value in part.items():
        if isinstance(value, str | list):
            whole[name] = whole.get(name, type(value)()) + value


class _Line:
    """Cancels its `async with` block when the client goes away, and then says so."""

    def __init__(self, receive: Receive) -> None:
        self.hung_up = False
        self._receive = receive

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._watcher = task, asyncio.create_task(self._watch())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watcher.cancel()
        if self.hung_up:
            self._task.uncancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.hung_up = True
        self._task.cancel()
