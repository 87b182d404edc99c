"""What is seen of a request: a `chat` span for each attempt, and its counts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from backend.engine import Usage
from backend.placement import Ahead, Ranking, Snapshot
from chat.attempt_trace import AttemptTrace, followed
from chat.inference.asked import Asked
from telemetry import Telemetry
from telemetry.names import (
    BOOT_ID,
    CONVERSATION_ID,
    PIN_AGE_S,
    PIN_MOVED,
    PIN_REPLICA,
    PLACEMENT,
    PLACEMENT_CANDIDATES,
    PLACEMENT_COSTS_MS,
    PREDICTED_CACHED_TOKENS,
    REPLICA,
    REQUEST_STREAM,
    SITE,
)
from telemetry.propagation import TraceParent
from telemetry.spans import SpanAttributes


class RequestTrace:
    """`parent` is the caller's span, or the mark of a trace of our own."""

    def __init__(self, telemetry: Telemetry, parent: TraceParent, asked: Asked, site: str | None, session: str) -> None:
        self.trace_id = parent.trace_id
        self._telemetry, self._metrics = telemetry, telemetry.metrics
        self._parent, self._model = parent, asked.model
        self._attributes = {CONVERSATION_ID: session, REQUEST_STREAM: asked.stream, SITE: site or ""}
        self._began = time.perf_counter()

    @contextmanager
    def attempt(self, number: int, replica: Snapshot, ahead: Ahead, ranking: Ranking) -> Iterator[AttemptTrace]:
        """The span of one attempt; its `traceparent` goes to the engine. Whatever ends it is written on it."""
        attributes = {**self._attributes, **_placed(replica, ranking), **_pinned(replica, ahead)}
        span = self._telemetry.start_request(self._parent, number, self._model, attributes)
        self._metrics.placements.labels(ranking.reason).inc()
        with followed(span, self._metrics) as trace:
            yield trace
        if trace.usage:
            self._metrics.count_placement(
                ranking.reason, ranking.predicted_cached_tokens, trace.usage.cached_tokens or 0
            )
            self._count(trace.usage)

    def first_token(self) -> None:
        self._metrics.inference_first_token_seconds.observe(time.perf_counter() - self._began)

    def ended(self, outcome: str) -> None:
        """done, stopped (the client hung up), failed or refused."""
        self._metrics.inference_requests.labels(outcome).inc()

    def _count(self, usage: Usage) -> None:
        self._metrics.inference_prompt_tokens.inc(usage.prompt_tokens or 0)
        self._metrics.inference_cached_prompt_tokens.inc(usage.cached_tokens or 0)
        self._metrics.inference_completion_tokens.inc(usage.completion_tokens or 0)


def _placed(replica: Snapshot, ranking: Ranking) -> SpanAttributes:
    return {
        REPLICA: replica.id,
        BOOT_ID: replica.boot_id or "",
        PLACEMENT: ranking.reason,
        PLACEMENT_CANDIDATES: ranking.order,
        PLACEMENT_COSTS_MS: tuple(round(each.cost_ms, 1) for each in ranking.candidates),
        PREDICTED_CACHED_TOKENS: ranking.predicted_cached_tokens,
    }


def _pinned(replica: Snapshot, ahead: Ahead) -> SpanAttributes:
    pin = ahead.pin
    if pin is None:
        return {}
    moved = replica.id != pin.replica_id
    return {PIN_REPLICA: pin.replica_id, PIN_AGE_S: round(pin.idle_s, 1), PIN_MOVED: moved}
