"""The span of one attempt to have the engine answer, of a turn or of a request to the OpenAI endpoint."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import Span

from backend.engine import Usage
from telemetry.metrics import Metrics
from telemetry.names import (
    ATTEMPT_OUTCOME,
    ERROR_TYPE,
    RESPONSE_FINISH_REASONS,
    USAGE_CACHE_READ_TOKENS,
    USAGE_INPUT_TOKENS,
    USAGE_OUTPUT_TOKENS,
    AttemptOutcome,
)
from telemetry.propagation import traceparent_of

NONE: Mapping[str, str] = {}


class AttemptTrace:
    """The span of one attempt while it runs. Unless told otherwise, it was stopped by us."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.outcome = AttemptOutcome.STOPPED
        self.traceparent = traceparent_of(span)
        self.usage: Usage | None = None

    def mark(self, moment: str, attributes: Mapping[str, str] = NONE) -> None:
        """A timed event of the attempt."""
        self._span.add_event(moment, attributes)

    def finished(self, usage: Usage) -> None:
        """The engine's stream came to its end."""
        self.outcome, self.usage = AttemptOutcome.FINISHED, usage
        counts = {
            USAGE_INPUT_TOKENS: usage.prompt_tokens,
            USAGE_CACHE_READ_TOKENS: usage.cached_tokens,
            USAGE_OUTPUT_TOKENS: usage.completion_tokens,
        }
        self._span.set_attributes({name: count for name, count in counts.items() if count is not None})
        self._span.set_attribute(RESPONSE_FINISH_REASONS, (usage.finish_reason,))

    def failed(self, code: str) -> None:
        self._span.set_attribute(ERROR_TYPE, code)
        self.outcome = AttemptOutcome.FAILED


@contextmanager
def followed(span: Span, metrics: Metrics) -> Iterator[AttemptTrace]:
    """Follow an attempt to its end: whatever ends it is written on its span, counted, and the span ended."""
    trace = AttemptTrace(span)
    try:
        yield trace
    except Exception as error:
        trace.failed(getattr(error, "code", type(error).__name__))
        raise
    finally:
        metrics.attempts.labels(trace.outcome).inc()
        span.set_attribute(ATTEMPT_OUTCOME, trace.outcome)
        span.end()
