"""One attempt on one replica: its stream of text with every deadline held, or the reason why it failed.

A finish reason or a closed stream proves nothing about a reply; this module only says what it saw. Text that came
before an error is already out: what it is worth is the caller's to decide.
"""

from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from backend.deadline import Deadline
from backend.errors import EngineError, FirstTokenTimeout, Outcome, Stalled, StreamBroken
from backend.litellm_router import DirectRouter
from backend.replicas import Replicas
from backend.ticket import Ticket
from backend.wire import Event, Wire

T = TypeVar("T")


@dataclass(frozen=True)
class Timeouts:
    connect: timedelta = timedelta(seconds=1)
    first_token: timedelta = timedelta(seconds=8)
    stall: timedelta = timedelta(seconds=5)
    prefill: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class Attempt:
    """`schema` guides the decoding; `extra` joins the request's body as it is. None is left to the engine.

    `ticket` is the attempt's place on the replica, closed by whoever made it; without one the stream makes its own.
    """

    replica_id: str
    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = 512
    cache_salt: str | None = None
    priority: int | None = None
    traceparent: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    temperature: float | None = 0
    ticket: Ticket | None = None


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
        self._router = DirectRouter(replicas, self._timeouts.connect.total_seconds())

    async def stream(self, attempt: Attempt) -> AsyncGenerator[Piece, None]:
        """Text pieces of the first choice, then exactly one Usage. Like `events` in everything else."""
        wire = Wire(attempt.replica_id)
        async with aclosing(self.events(attempt, wire)) as batches:
            async for batch in batches:
                for event in batch:
                    if text := event.text:
                        yield Text(text)
        yield usage_of(wire)

    async def events(self, attempt: Attempt, wire: Wire) -> AsyncGenerator[list[Event], None]:
        """What the engine sends, as it comes; `wire` is the attempt's own and holds its usage afterwards.

        The first batch carries output: nothing is yielded for an attempt that fails before. Closing the iterator
        aborts the generation at the engine. Raises an EngineError for everything but a stream that ended with the
        engine's finish reason. The replica set is told of the outcome and counts the attempt as in flight.
        """
        try:
            with ExitStack() as stack:
                ticket = attempt.ticket or stack.enter_context(self._replicas.enter(attempt.replica_id))
                async with aclosing(self._batches(attempt, wire, self._timeouts.first_token)) as batches:
                    async for batch in batches:
                        ticket.first_token()
                        yield batch
                usage = usage_of(wire)
                ticket.used(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
        except EngineError as error:
            self._replicas.report(attempt.replica_id, error.outcome)
            raise
        self._replicas.report(attempt.replica_id, Outcome.OK)

    async def prefill(
        self,
        replica_id: str,
        messages: Sequence[Mapping[str, str]],
        schema: Mapping[str, Any] | None = None,
        cache_salt: str | None = None,
        priority: int | None = None,
        ticket: Ticket | None = None,
    ) -> Usage:
        """Bring a prefix into a replica's cache, and a schema's grammar with it, at the price of one token.

        Raises EngineError. Nothing is reported to the replica set: whoever warms decides.
        """
        wire = Wire(replica_id)
        attempt = Attempt(replica_id, messages, schema, 1, cache_salt, priority, ticket=ticket)
        async with aclosing(self._batches(attempt, wire, self._timeouts.prefill)) as batches:
            async for _ in batches:
                if ticket is not None:
                    ticket.first_token()
        usage = usage_of(wire)
        if ticket is not None:
            ticket.used(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
        return usage

    async def tokenize(self, replica_id: str, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The token ids of a prompt as the replica's chat template writes it (vLLM's `/tokenize`)."""
        url, model = self._replicas.served()[replica_id]
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.post(f"{url}/tokenize", json={"model": model, "messages": list(messages)})
        return response.raise_for_status().json()["tokens"]

    async def close(self) -> None:
        await self._router.close()

    async def _batches(self, attempt: Attempt, wire: Wire, first_token: timedelta) -> AsyncGenerator[list[Event], None]:
        with Deadline() as deadline:
            late: EngineError = FirstTokenTimeout(attempt.replica_id)
            begun = deadline.within(first_token.total_seconds(), self._begin(attempt, wire))
            batches, batch = await _in_time(begun, wire, late)
            late, stall_s = Stalled(attempt.replica_id), self._timeouts.stall.total_seconds()
            async with aclosing(batches):
                while batch is not None:
                    yield batch
                    batch = await _in_time(deadline.within(stall_s, anext(batches, None)), wire, late)
        wire.finished()

    async def _begin(self, attempt: Attempt, wire: Wire) -> tuple[AsyncGenerator[list[Event], None], list[Event]]:
        """The stream, and its events up to those with the first output."""
        answer = await self._router.open(wire, _body(attempt), _headers(attempt))
        batches, begun = answer.events(), list[Event]()
        async for batch in batches:
            begun += batch
            if any(event.speaks for event in batch):
                return batches, begun
        raise wire.fail(StreamBroken(attempt.replica_id, "ended before any output"))


async def _in_time(step: Awaitable[T], wire: Wire, late: EngineError) -> T:
    try:
        return await step
    except TimeoutError as fault:
        raise wire.fail(late) from fault


def usage_of(wire: Wire) -> Usage:
    """What the engine said at the end of a stream that has ended well."""
    usage = wire.usage or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    return Usage(wire.finished(), usage.get("prompt_tokens"), cached, usage.get("completion_tokens"))


def _body(attempt: Attempt) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": list(attempt.messages),
        "max_tokens": attempt.max_tokens,
        "temperature": attempt.temperature,
        "structured_outputs": None if attempt.schema is None else {"json": attempt.schema},
        "cache_salt": attempt.cache_salt,
        "priority": attempt.priority,
    }
    streaming = {"stream": True, "stream_options": {"include_usage": True}}
    return {name: value for name, value in body.items() if value is not None} | attempt.extra | streaming


def _headers(attempt: Attempt) -> dict[str, str]:
    return {"traceparent": attempt.traceparent} if attempt.traceparent else {}
