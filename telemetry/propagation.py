"""W3C Trace Context at the front gate: whose `traceparent` is continued, and what is passed on.

Format and validity: https://www.w3.org/TR/trace-context-2/#traceparent-header. The recipe against strangers who would
join or flood traces is to restart them (same document, privacy and security considerations). The sender's sampled flag
is ignored, and `tracestate` and `baggage` are never read.
"""

import re
import secrets
from dataclasses import dataclass

from opentelemetry.trace import Span, SpanContext, TraceFlags

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
MAX_HEADER_CHARACTERS = 512
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A trace id (32 hex digits) and the id of the span in it that asks (16 hex digits)."""

    trace_id: str
    span_id: str

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"

    @property
    def is_restart(self) -> bool:
        """Whether this is the mark of a trace that begins here: no span anywhere carries its span id."""
        return self.span_id == self.trace_id[:16]

    def context(self) -> SpanContext:
        return SpanContext(int(self.trace_id, 16), int(self.span_id, 16), is_remote=True, trace_flags=_SAMPLED)


def parse(header: str | None) -> TraceParent | None:
    """Read a `traceparent`; None if it is missing or not valid."""
    if header is None or len(header) > MAX_HEADER_CHARACTERS:
        return None
    match = _TRACEPARENT.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, _flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceParent(trace_id, span_id)


def restart() -> TraceParent:
    """A trace of our own."""
    trace_id = secrets.token_hex(16)
    while not int(trace_id[:16], 16):
        trace_id = secrets.token_hex(16)
    return TraceParent(trace_id, trace_id[:16])


def admit(header: str | None, *, trusted: bool) -> str:
    """The `traceparent` to keep with a turn: the caller's if it is valid and the caller is known, else a new one."""
    return str((parse(header) if trusted else None) or restart())


def parsed(traceparent: str) -> TraceParent:
    """Read a `traceparent` of our own making; raises ValueError if it is not valid."""
    parent = parse(traceparent)
    if parent is None:
        raise ValueError("not a traceparent")
    return parent


def trace_id_of(traceparent: str) -> str:
    """Trace id of a `traceparent` from `admit`; raises ValueError on anything else."""
    return parsed(traceparent).trace_id


def traceparent_of(span: Span) -> str:
    """The header that makes the receiver's spans children of `span`."""
    context = span.get_span_context()
    return str(TraceParent(f"{context.trace_id:032x}", f"{context.span_id:016x}"))
