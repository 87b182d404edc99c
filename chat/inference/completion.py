"""The way of one request: ranked by the placement policy, attempted as one LiteLLM Router call on one replica.

An attempt that fails before its first output is made again on the next replica; after it, the client is told that the
reply broke off. Where the reply ended well, the session is pinned to the replica that now holds it, before the client
hears that it has ended: its next request may come to another process.
"""

from collections.abc import AsyncGenerator, Mapping, Set
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any

import structlog

from backend.engine import Attempt, Engine, Usage, usage_of
from backend.errors import BadRequest, EngineError, NotReady, Overloaded, QueueFull
from backend.placement import Ahead, Pin, Placement, Ranking, Snapshot
from backend.priority import Priority
from backend.replicas import Replicas
from backend.routing import brand_key
from backend.ticket import Ticket
from backend.wire import Event, Wire
from chat.errors import ApiError, Away, TooMany
from chat.inference.asked import Asked
from chat.inference.tenants import Tenant
from chat.inference.trace import RequestTrace
from chat.pins import Known, SharedPins

log = structlog.get_logger(__name__)

REPLICA_WAIT_S = 2.0
BUSY_FOR_S = 1.0


class BadGateway(ApiError):
    status = HTTPStatus.BAD_GATEWAY
    code = "engine_failed"


class Completion:
    """`replica` and `ranking` are known once `run` has yielded; `usage` after it has ended."""

    def __init__(
        self,
        replicas: Replicas,
        engine: Engine,
        pins: SharedPins,
        trace: RequestTrace,
        tenant: Tenant,
        asked: Asked,
        session: bytes,
        max_attempts: int,
    ) -> None:
        self.asked = asked
        self.trace = trace
        self.replica: Snapshot | None = None
        self.ranking: Ranking | None = None
        self.wire: Wire | None = None
        self._replicas, self._engine, self._pins = replicas, engine, pins
        self._tenant, self._session, self._max_attempts = tenant, session, max_attempts
        self._known = Known(None)

    async def run(self) -> AsyncGenerator[list[Event], None]:
        """The reply's events, the first batch with its first output. Closing it ends the generation at the engine.

        Raises ApiError before the first batch, EngineError behind it.
        """
        failed = dict[str, EngineError]()
        while True:
            ahead = await self._ahead()
            ticket, begun = await self._place(ahead, failed), False
            try:
                with ticket:
                    async with aclosing(self._attempt(ahead, ticket, len(failed) + 1)) as batches:
                        async for batch in batches:
                            begun = True
                            yield batch
            except EngineError as error:
                log.warning("inference_attempt_failed", replica=error.replica_id, code=error.code, begun=begun)
                if begun:
                    raise
                failed[error.replica_id] = error
                if not error.retryable or len(failed) >= self._max_attempts:
                    raise _refusal(error) from error
            else:
                return

    async def _ahead(self) -> Ahead:
        system, whole = self.asked.sizes
        self._known = await self._pins.get(self._session)
        return Ahead(
            brand=brand_key(self._tenant.salt, self.asked.system),
            brand_tokens=system,
            prompt_tokens=whole,
            pin=self._known.pin,
            key=self._session.hex(),
        )

    async def _place(self, ahead: Ahead, failed: Mapping[str, EngineError]) -> Ticket:
        """A place on a replica that has not failed this request. Raises ApiError."""
        try:
            ticket = await self._admitted(ahead, failed.keys())
        except QueueFull as full:
            raise TooMany(
                "Too many requests wait already.", retry_after_s=full.retry_after_s, code="overloaded"
            ) from full
        except NotReady as error:
            raise _refusal(*failed.values()) if failed else Away("No replica is ready.", code="no_replica") from error
        if ticket.replica_id in failed:
            ticket.close()
            raise _refusal(*failed.values())
        return ticket

    async def _admitted(self, ahead: Ahead, failed: Set[str]) -> Ticket:
        with suppress(NotReady):
            return await self._replicas.admit(ahead, failed, Priority.INFERENCE)
        await self._replicas.wait_ready(REPLICA_WAIT_S)
        return await self._replicas.admit(ahead, failed, Priority.INFERENCE)

    async def _attempt(self, ahead: Ahead, ticket: Ticket, number: int) -> AsyncGenerator[list[Event], None]:
        replica = self._replicas.view(ticket.replica_id)
        wire = Wire(replica.id)
        with self.trace.attempt(number, replica, ahead, ticket.ranking) as attempt:
            request = Attempt(
                replica.id,
                self.asked.messages,
                max_tokens=None,
                temperature=None,
                cache_salt=self._tenant.salt,
                priority=Priority.INFERENCE,
                traceparent=attempt.traceparent,
                extra=self.asked.options,
                ticket=ticket,
            )
            async with aclosing(self._engine.events(request, wire)) as batches:
                async for batch in batches:
                    if self.wire is not wire:
                        self.replica, self.ranking, self.wire = replica, ticket.ranking, wire
                        self.trace.first_token()
                    yield batch
            usage = usage_of(wire)
            attempt.finished(usage)
        await self._pins.put(self._session, _pin(replica, ahead, ticket.ranking, usage), self._known)


def _pin(replica: Snapshot, ahead: Ahead, ranking: Ranking, usage: Usage) -> Pin:
    """What the replica now holds of the session: the prompt and what was written behind it."""
    held = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
    missed = ranking.reason is Placement.PINNED and 2 * (usage.cached_tokens or 0) < ranking.predicted_cached_tokens
    misses = ahead.pin.misses + 1 if ahead.pin and missed else 0
    return Pin(replica.id, replica.boot_id or "", held, ahead.brand, misses)


def _refusal(*errors: EngineError) -> ApiError:
    """What the last failure of a request means to its client; the engine's own words may quote somebody."""
    match errors[-1]:
        case BadRequest():
            return ApiError(
                "The engine refuses this request: mostly its prompt and max_tokens together exceed the context.",
                code="refused_by_engine",
            )
        case Overloaded():
            return TooMany("Every replica is full.", retry_after_s=BUSY_FOR_S, code="overloaded")
    return BadGateway("The engine failed before its first token.")


def broken_off(error: EngineError) -> dict[str, Any]:
    """The event that ends a stream which was cut in the middle, in OpenAI's shape."""
    return {"message": "The reply broke off.", "type": "server_error", "param": None, "code": error.code}
