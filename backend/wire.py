"""What one attempt's stream says, read event by event, and whether it may pass for a whole one.

A finish reason or a usage is only what the engine itself has sent; a stream without a finish reason is broken, however
cleanly it was closed.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.errors import EngineAborted, EngineError, StreamBroken

_ABORTED = ("abort", "error")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the engine's stream: what it wrote behind `data:`, and the chunk that this is."""

    raw: bytes
    chunk: dict[str, Any]

    @property
    def choices(self) -> list[dict[str, Any]]:
        return self.chunk.get("choices") or []

    @property
    def text(self) -> str:
        """What the event adds to the first choice."""
        return "".join(_delta(choice).get("content") or "" for choice in self.choices if not choice.get("index"))

    @property
    def speaks(self) -> bool:
        """Whether it carries output: any text, of whichever choice or kind, or the end of a choice."""
        return any(choice.get("finish_reason") or _says(_delta(choice)) for choice in self.choices)


@dataclass
class Wire:
    """One attempt's traffic: its first fault, and the finish reason and the usage that the engine sent."""

    replica_id: str
    error: EngineError | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    _unfinished: set[int] = field(default_factory=set)

    def fail(self, error: EngineError) -> EngineError:
        """The attempt's error: the first one that was noted."""
        self.error = self.error or error
        return self.error

    def read(self, raw: bytes) -> Event | None:
        """Take one `data:` payload; None for the closing `[DONE]`. Raises StreamBroken or EngineAborted."""
        if raw == b"[DONE]":
            return None
        try:
            chunk = orjson.loads(raw)
        except ValueError as fault:
            raise self.fail(StreamBroken(self.replica_id, "an event is no JSON")) from fault
        if not isinstance(chunk, dict) or "error" in chunk:
            raise self.fail(EngineAborted(self.replica_id, "error in the stream"))
        self.usage = chunk.get("usage") or self.usage
        event = Event(raw, chunk)
        for choice in event.choices:
            self._read_choice(choice)
        return event

    def _read_choice(self, choice: dict[str, Any]) -> None:
        index, reason = choice.get("index") or 0, choice.get("finish_reason")
        if reason in _ABORTED:
            raise self.fail(EngineAborted(self.replica_id, f"finish reason {reason}"))
        if reason:
            self.finish_reason = reason
            self._unfinished.discard(index)
        else:
            self._unfinished.add(index)

    def finished(self) -> str:
        """The engine's finish reason. Raises StreamBroken when the stream, or one of its choices, ended without."""
        if self.finish_reason is None or self._unfinished:
            raise self.fail(StreamBroken(self.replica_id, "ended without a finish reason"))
        return self.finish_reason


def _delta(choice: dict[str, Any]) -> dict[str, Any]:
    return choice.get("delta") or {}


def _says(delta: dict[str, Any]) -> bool:
    return any(value for name, value in delta.items() if name != "role")
