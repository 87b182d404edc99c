"""Span ids that any server process can name, so that a turn keeps one tree when its owner dies.

The spans of a dead process are those that it had ended; its open `turn` and `chat` spans are gone, and their children
would be orphans. Both ids are therefore derived from the turn: whoever takes the turn over writes them again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from telemetry.propagation import TraceParent, parsed

_next_trace_id: ContextVar[str | None] = ContextVar("next_trace_id", default=None)
_next_span_id: ContextVar[str | None] = ContextVar("next_span_id", default=None)


def turn_span_id(turn_id: str) -> str:
    """Id of a turn's root span, 16 hex digits."""
    return _derived(f"turn {turn_id}")


def attempt_span_id(turn_id: str, attempt: int) -> str:
    """Id of the span of one `chat` attempt, 16 hex digits."""
    return _derived(f"attempt {turn_id} {attempt}")


def recorded_span_id(parent: TraceParent, name: str) -> str:
    """Id of the one span of this name that is written down afterwards under `parent`, 16 hex digits."""
    return _derived(f"recorded {parent} {name}")


def turn_parent(traceparent: str, turn_id: str) -> str:
    """The `traceparent` of a turn's root span, also before it starts and after it ended."""
    return str(TraceParent(parsed(traceparent).trace_id, turn_span_id(turn_id)))


class ChosenIds(RandomIdGenerator):
    """Random ids, unless `chosen` has laid one out for the next span."""

    def generate_trace_id(self) -> int:
        chosen_id = _next_trace_id.get()
        return int(chosen_id, 16) if chosen_id else super().generate_trace_id()

    def generate_span_id(self) -> int:
        chosen_id = _next_span_id.get()
        return int(chosen_id, 16) if chosen_id else super().generate_span_id()


@contextmanager
def chosen(*, span_id: str | None = None, trace_id: str | None = None) -> Iterator[None]:
    """Give the one span that starts inside these ids; `trace_id` counts only for a span without a parent."""
    trace_token, span_token = _next_trace_id.set(trace_id), _next_span_id.set(span_id)
    try:
        yield
    finally:
        _next_trace_id.reset(trace_token)
        _next_span_id.reset(span_token)


def _derived(text: str) -> str:
    # sha256 of a fixed prefix and a random id is never all zeros in practice; the SDK would refuse such an id.
    return sha256(text.encode()).hexdigest()[:16]
