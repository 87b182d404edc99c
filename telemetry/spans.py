"""The spans of a turn: where they start, what they hang on, which of them survive a change of owner."""

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanKind, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from telemetry.identity import attempt_span_id, chosen, recorded_span_id, turn_span_id
from telemetry.names import (
    ATTEMPT,
    ATTEMPT_OUTCOME,
    CONVERSATION_ID,
    ERROR_TYPE,
    OPERATION_NAME,
    OUTPUT_TYPE,
    PROVIDER_NAME,
    REQUEST_MODEL,
    TURN,
    TURN_ID,
    AttemptOutcome,
    chat_span,
)
from telemetry.propagation import TraceParent, parsed

SpanAttributes = Mapping[str, AttributeValue]


class TurnTracer:
    """Starts spans with the ids and parents that keep a turn's tree whole. Times are nanoseconds since the epoch."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer

    def start_turn(
        self,
        traceparent: str,
        conversation_id: str,
        turn_id: str,
        *,
        start_ns: int | None = None,
        attributes: SpanAttributes | None = None,
    ) -> Span:
        """Start the root of a turn's tree; `traceparent` is what `admit` gave, `start_ns` when the turn was accepted.

        The caller ends it, also when the turn fails. Started again by another process it takes the place of the first.
        """
        parent = parsed(traceparent)
        with chosen(span_id=turn_span_id(turn_id), trace_id=parent.trace_id):
            return self.tracer.start_span(
                TURN,
                context=Context() if parent.is_restart else _context_of(parent),
                kind=SpanKind.SERVER,
                start_time=start_ns,
                attributes={CONVERSATION_ID: conversation_id, TURN_ID: turn_id, **(attributes or {})},
            )

    def start_attempt(
        self, turn: Span, turn_id: str, attempt: int, model: str, attributes: SpanAttributes | None = None
    ) -> Span:
        """Start the span of attempt 1, 2, ... to have the engine answer; its `traceparent_of` goes to the engine.

        Set `ATTEMPT_OUTCOME` before ending it.
        """
        with chosen(span_id=attempt_span_id(turn_id, attempt)):
            return self.tracer.start_span(
                chat_span(model),
                context=set_span_in_context(turn),
                kind=SpanKind.CLIENT,
                attributes={**_chat_attributes(model, attempt), **(attributes or {})},
            )

    def start_request(
        self, parent: TraceParent, attempt: int, model: str, attributes: SpanAttributes | None = None
    ) -> Span:
        """Start the span of attempt 1, 2, ... at a request that is no turn, under `parent` or at a trace's beginning.

        Set `ATTEMPT_OUTCOME` before ending it.
        """
        with chosen(trace_id=parent.trace_id):
            return self.tracer.start_span(
                chat_span(model),
                context=Context() if parent.is_restart else _context_of(parent),
                kind=SpanKind.CLIENT,
                attributes={**_chat_attributes(model, attempt), OUTPUT_TYPE: "text", **(attributes or {})},
            )

    def record_lost_attempt(
        self, traceparent: str, conversation_id: str, turn_id: str, attempt: int, model: str, *, accepted_ns: int
    ) -> None:
        """Write down an attempt whose owner may have died before it ended the span, so that it is in the tree.

        Its time is the turn's acceptance: the store keeps the later end, so the span of an owner that did end it stays.
        """
        attributes = {
            **_chat_attributes(model, attempt),
            CONVERSATION_ID: conversation_id,
            ATTEMPT_OUTCOME: AttemptOutcome.LOST,
            ERROR_TYPE: "owner_lost",
        }
        parent = TraceParent(parsed(traceparent).trace_id, turn_span_id(turn_id))
        with chosen(span_id=attempt_span_id(turn_id, attempt)):
            self._record(chat_span(model), parent, accepted_ns, accepted_ns, attributes)

    def record(
        self, name: str, parent: str, start_ns: int, end_ns: int, attributes: SpanAttributes | None = None
    ) -> None:
        """Write down a span that is already over, under the span that the `traceparent` `parent` names.

        Under one parent a name counts once: repeated, the later end replaces the earlier.
        """
        above = parsed(parent)
        with chosen(span_id=recorded_span_id(above, name)):
            self._record(name, above, start_ns, end_ns, attributes)

    def _record(
        self, name: str, parent: TraceParent, start_ns: int, end_ns: int, attributes: SpanAttributes | None
    ) -> None:
        context = _context_of(parent)
        self.tracer.start_span(name, context=context, start_time=start_ns, attributes=attributes).end(end_ns)


def _context_of(parent: TraceParent) -> Context:
    return set_span_in_context(NonRecordingSpan(parent.context()), Context())


def _chat_attributes(model: str, attempt: int) -> dict[str, AttributeValue]:
    return {
        OPERATION_NAME: "chat",
        PROVIDER_NAME: "vllm",
        REQUEST_MODEL: model,
        OUTPUT_TYPE: "json",
        ATTEMPT: attempt,
    }
