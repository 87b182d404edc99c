"""A turn's trace."""

from typing import Any

from pydantic import BaseModel


class SpanEvent(BaseModel):
    name: str
    time_ns: int
    attributes: dict[str, Any]


class SpanOut(BaseModel):
    """Times are ns since the epoch."""

    span_id: str
    parent_id: str | None
    name: str
    service: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    events: list[SpanEvent]


class TraceOut(BaseModel):
    """`complete`: the turn has ended and every finished attempt has its engine's span."""

    complete: bool
    spans: list[SpanOut]


class Explanation(BaseModel):
    """Sentences about a turn, the most telling first."""

    sentences: list[str]
