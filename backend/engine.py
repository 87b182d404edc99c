"""One attempt on one replica: its stream of text with every deadline held, or the reason why it failed.

A finish reason or a closed stream proves nothing about a reply; this module only says what it saw. Text that came
before an error is already out: what it is worth is the caller's to decide.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from backend.errors import EngineError, FirstTokenTimeout, Outcome, Stalled, StreamBroken
from backend.litellm_router import DirectRouter
from backend.replicas import Replicas
from backend.wire import Wire

T = TypeVar("T")


@dataclass(frozen=True)
class Timeouts:
    connect: timedelta = timedelta(seconds=1)
    first_token: timedelta = timedelta(seconds=8)
    stall: timedelta = timedelta(seconds=5)
    prefill: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class Attempt:
    """`schema` guides the decoding; `extra` joins the request's body as it is."""

    replica_id: str
    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 512
    cache_salt: str | None = None
    priority: int | None = None
    traceparent: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Text:
    """A piece of the raw reply, never empty."""

    text: str


@dataclass(frozen=True)
class Usage:
    """The engine's own words at the end of its stream; a count that it did not report is None."""

    finish_reason: str
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None


Piece = Text | Usage


class Engine:
    """All generation goes through here. Make one per process: it imports LiteLLM, which costs seconds of CPU."""

    def __init__(self, replicas: Replicas, timeouts: Timeouts | None = None) -> None:
        self._replicas = replicas
        self._timeouts = timeouts or Timeouts()
        stall_s = self._timeouts.stall.total_seconds()
        self._router = DirectRouter(replicas, self._timeouts.connect.total_seconds(), stall_s)

    async def stream(self, attempt: Attempt) -> AsyncGenerator[Piece, None]:
        """Text pieces, then exactly one Usage. Closing the iterator aborts the generation at the engine.

        Raises an EngineError for everything but a stream that ended with the engine's finish reason. The replica
        set is told of the outcome and counts the attempt as in flight.
        """
        wire = Wire(attempt.replica_id)
        try:
            with self._replicas.enter(attempt.replica_id):
                async with aclosing(self._texts(attempt, wire, self._timeouts.first_token)) as texts:
                    async for text in texts:
                        yield Text(text)
        except EngineError as error:
            self._replicas.report(attempt.replica_id, error.outcome)
            raise
        self._replicas.report(attempt.replica_id, Outcome.OK)
        yield _usage(wire)

    async def prefill(
        self,
        replica_id: str,
        messages: Sequence[Mapping[str, str]],
        schema: Mapping[str, Any] | None = None,
        cache_salt: str | None = None,
        priority: int | None = None,
    ) -> None:
        """Bring a prefix into a replica's cache, and a schema's grammar with it, at the price of one token.

        Raises EngineError. Nothing is reported to the replica set: whoever warms decides.
        """
        wire = Wire(replica_id)
        attempt = Attempt(replica_id, messages, schema, 1, cache_salt, priority)
        async with aclosing(self._texts(attempt, wire, self._timeouts.prefill)) as texts:
            async for _ in texts:
                continue

    async def tokenize(self, replica_id: str, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The token ids of a prompt as the replica's chat template writes it (vLLM's `/tokenize`)."""
        url, model = self._replicas.served()[replica_id]
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.post(f"{url}/tokenize", json={"model": model, "messages": list(messages)})
        return response.raise_for_status().json()["tokens"]

    async def close(self) -> None:
        await self._router.close()

    async def _texts(self, attempt: Attempt, wire: Wire, first_token: timedelta) -> AsyncGenerator[str, None]:
        late = FirstTokenTimeout(attempt.replica_id)
        chunks, text = await self._within(first_token, late, wire, self._begin(attempt, wire))
        async with aclosing(chunks):
            seen = 0
            while text is not None:
                seen += len(text)
                yield text
                late = Stalled(attempt.replica_id)
                text = await self._within(self._timeouts.stall, late, wire, _next_text(chunks))
        wire.finished()
        if seen != wire.text_chars:
            raise StreamBroken(attempt.replica_id, "text was lost on the way")

    async def _begin(self, attempt: Attempt, wire: Wire) -> tuple[Any, str | None]:
        chunks = await self._router.open(wire, attempt.messages, **_options(attempt))
        try:
            return chunks, await _next_text(chunks)
        except BaseException:
            await chunks.aclose()
            raise

    async def _within(self, limit: timedelta, late: EngineError, wire: Wire, step: Awaitable[T]) -> T:
        """Await one step; `late` when it takes too long, the wire's own error where LiteLLM wraps it."""
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await step
        except TimeoutError as fault:
            raise wire.fail(late) from fault
        except self._router.error as fault:
            raise wire.fail(StreamBroken(wire.replica_id, type(fault).__name__)) from fault


async def _next_text(chunks: AsyncIterator[Any]) -> str | None:
    async for chunk in chunks:
        for choice in chunk.choices:
            if choice.delta.content:
                return choice.delta.content
    return None


def _options(attempt: Attempt) -> dict[str, Any]:
    body: dict[str, Any] = dict(attempt.extra)
    if attempt.schema is not None:
        body["structured_outputs"] = {"json": attempt.schema}
    # LiteLLM keeps a top-level `priority` for its own queue; in the body it reaches vLLM.
    body |= {"cache_salt": attempt.cache_salt} if attempt.cache_salt else {}
    body |= {"priority": attempt.priority} if attempt.priority is not None else {}
    headers = {"traceparent": attempt.traceparent} if attempt.traceparent else {}
    return {"max_tokens": attempt.max_tokens, "temperature": 0, "extra_body": body, "extra_headers": headers}


def _usage(wire: Wire) -> Usage:
    usage = wire.usage or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    return Usage(wire.finished(), usage.get("prompt_tokens"), cached, usage.get("completion_tokens"))
