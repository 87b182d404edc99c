"""What is seen of a turn while it is answered: its spans and its counts."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from opentelemetry.trace import Span, set_span_in_context

from backend.engine import Usage
from backend.placement import Ahead, Placement, Ranking, Snapshot
from chat.attempt_trace import AttemptTrace, followed
from prompts import FilledReply
from sessions import Claim
from telemetry import Telemetry
from telemetry.masking import find
from telemetry.names import (
    ACTION,
    BOOT_ID,
    CLAIMED,
    ERROR_TYPE,
    FIRST_TEXT,
    INVALID_REASON,
    INVALID_REPLY,
    MASK,
    MASK_KINDS,
    MESSAGE_CHARACTERS,
    PACK,
    PIN_AGE_S,
    PIN_MOVED,
    PIN_REPLICA,
    PLACEMENT,
    PLACEMENT_CANDIDATES,
    PLACEMENT_COSTS_MS,
    PREDICTED_CACHED_TOKENS,
    PROMPT_NAME,
    PROMPT_VERSION,
    REPLICA,
    REPLY_DONE,
    RESET,
    SITE,
    TTFV_MS,
    TURN_ATTEMPTS,
    TURN_OUTCOME,
    TURN_QUEUE_MS,
)
from telemetry.propagation import admit

Attributes = Mapping[str, str | int | float | bool]


class TurnTrace:
    """One tree per turn: `turn`, and under it `store`, `assemble`, `route`, a `chat` an attempt, `commit`, `settle`."""

    def __init__(self, telemetry: Telemetry, claim: Claim, model: str) -> None:
        self._telemetry, self._metrics = telemetry, telemetry.metrics
        self._claim, self._model = claim, model
        self._attempts = claim.attempts
        self._ended, self._closed = False, False
        self._ranking: Ranking | None = None
        traceparent = claim.traceparent or admit(None, trusted=False)
        accepted_ns = int(claim.created_at.timestamp() * 1e9)
        if claim.attempts > 1:
            telemetry.record_lost_attempt(
                traceparent, claim.conversation_id, claim.turn_id, claim.attempt - 1, model, accepted_ns=accepted_ns
            )
        waited_ms = since_ms(claim.created_at)
        self._metrics.queue_seconds.observe(waited_ms / 1000)
        self.span = telemetry.start_turn(
            traceparent,
            claim.conversation_id,
            claim.turn_id,
            start_ns=accepted_ns,
            attributes={
                SITE: claim.site_key,
                PACK: claim.pack,
                PROMPT_VERSION: claim.pack_version,
                MESSAGE_CHARACTERS: len(claim.text),
                TURN_QUEUE_MS: waited_ms,
            },
        )
        self.span.add_event(CLAIMED)
        self.span.add_event(MASK, {MASK_KINDS: sorted({each.kind for each in find(claim.text)})})

    @contextmanager
    def step(self, name: str) -> Iterator[Span]:
        """A part of the turn's way, as a span under the turn."""
        span = self._telemetry.tracer.start_span(name, context=set_span_in_context(self.span))
        try:
            yield span
        finally:
            span.end()

    def placed(self, span: Span, ahead: Ahead, ranking: Ranking) -> None:
        """Where the next attempt goes, and why, and what it would have cost elsewhere, on the span of the choice."""
        self._ranking = ranking
        self._metrics.placements.labels(ranking.reason).inc()
        self.span.set_attribute(PLACEMENT, ranking.reason)
        choice = {REPLICA: ranking.order[0], PLACEMENT: ranking.reason, PLACEMENT_CANDIDATES: ranking.order}
        if ranking.candidates:
            choice[PLACEMENT_COSTS_MS] = tuple(round(each.cost_ms, 1) for each in ranking.candidates)
            choice[PREDICTED_CACHED_TOKENS] = ranking.predicted_cached_tokens
        pin = ahead.pin
        if pin is not None:
            moved = ranking.order[0] != pin.replica_id or ranking.reason is Placement.MOVED_DRAIN
            choice |= {PIN_REPLICA: pin.replica_id, PIN_AGE_S: round(pin.idle_s, 1), PIN_MOVED: moved}
        span.set_attributes(choice)

    @contextmanager
    def attempt(self, claim: Claim, replica: Snapshot) -> Iterator[AttemptTrace]:
        """The span of one attempt; its `traceparent` goes to the engine. Whatever ends it is written on it."""
        self._attempts = claim.attempts
        attributes = {REPLICA: replica.id, BOOT_ID: replica.boot_id or ""}
        span = self._telemetry.start_attempt(self.span, claim.turn_id, claim.attempt, self._model, attributes)
        with followed(span, self._metrics) as trace:
            yield trace

    def first_text(self, ms: float) -> None:
        self.span.add_event(FIRST_TEXT)
        self.span.set_attribute(TTFV_MS, ms)
        self._metrics.first_text_seconds.observe(ms / 1000)

    def reset(self) -> None:
        self.span.add_event(RESET)
        self._metrics.replies_reset.inc()

    def replied(self, reply: FilledReply, ms: float) -> None:
        """The reply is what it is: count it and name its template."""
        self.span.add_event(REPLY_DONE)
        self.span.set_attributes({PROMPT_NAME: reply.template, ACTION: reply.action})
        if reply.lookup:
            self._metrics.lookups.labels(reply.lookup.name, reply.lookup.outcome).inc()
        self._metrics.reply_seconds.observe(ms / 1000)
        self._metrics.templates.labels(self._claim.site_key, reply.template).inc()
        self.outcome("done")

    def used(self, usage: Usage, turn_index: int) -> None:
        if ranking := self._ranking:
            self._metrics.count_placement(ranking.reason, ranking.predicted_cached_tokens, usage.cached_tokens or 0)
        self._metrics.count_usage(
            turn_index,
            prompt_tokens=usage.prompt_tokens or 0,
            cached_tokens=usage.cached_tokens or 0,
            completion_tokens=usage.completion_tokens or 0,
        )

    def annotation_cut(self) -> None:
        self._metrics.annotations_cut.inc()

    def refused(self, reason: str) -> None:
        self.span.add_event(INVALID_REPLY, {INVALID_REASON: reason})
        self._metrics.invalid_replies.labels(reason).inc()

    def outcome(self, outcome: str, code: str | None = None) -> None:
        """How the turn ended: done, stopped, or failed with a code. The first word counts."""
        if self._ended:
            return
        self._ended = True
        self.span.set_attributes({TURN_OUTCOME: outcome, TURN_ATTEMPTS: self._attempts})
        self._metrics.turns.labels(outcome).inc()
        if code:
            self.span.set_attribute(ERROR_TYPE, code)
            self._metrics.turn_failures.labels(code).inc()
        if self._closed:
            self.span.end()

    def end(self) -> None:
        """Nobody works on the turn here any more, but for a last word that may be on its way to the store.

        A turn that has not ended then is somebody else's, and so is its span.
        """
        self._closed = True
        if self._ended:
            self.span.end()


def since_ms(moment: datetime) -> float:
    """Milliseconds from `moment` until now."""
    return max(0.0, (time.time() - moment.timestamp()) * 1000)
