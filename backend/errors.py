"""What can go wrong on the engine side.

EngineError            an attempt on one replica failed
  ConnectFailed        no connection in time, closed without a word, or the replica is not in the set
  FirstTokenTimeout    connected, but no text came in time
  Stalled              the stream stood still in the middle
  Overloaded           the replica answered 429 or 503: alive, but full or not yet serving
  EngineAborted        the engine gave the request up (finish reason `abort` or an error inside the stream)
  StreamBroken         the stream ended, or turned to rubbish, before a finish reason
  BadRequest           the engine refuses this request; another replica would refuse it too
NotReady               no replica became ready in the time given
QueueFull              too many wait already; says when to come back
UnknownReplica         no replica of that id is in the set
"""

from enum import StrEnum
from typing import ClassVar


class Outcome(StrEnum):
    """How an attempt ended for its replica; what `Replicas.report` takes."""

    OK = "ok"
    BUSY = "busy"  # alive, but has no room: no reason to eject it
    FAILED = "failed"  # suspect at once
    REFUSED = "refused"  # the request was at fault, not the replica


class EngineError(Exception):
    """An attempt failed. `code` is stable and goes on spans and metrics; the text holds no customer's words."""

    code: ClassVar[str] = "engine_error"
    outcome: ClassVar[Outcome] = Outcome.FAILED

    def __init__(self, replica_id: str, detail: str = "") -> None:
        super().__init__(f"{self.code} on {replica_id}" + (f": {detail}" if detail else ""))
        self.replica_id = replica_id
        self.detail = detail

    @property
    def retryable(self) -> bool:
        """Whether another attempt, here or elsewhere, may succeed with the same request."""
        return self.outcome is not Outcome.REFUSED


class ConnectFailed(EngineError):
    code = "connect_failed"


class FirstTokenTimeout(EngineError):
    code = "first_token_timeout"


class Stalled(EngineError):
    code = "stalled"


class Overloaded(EngineError):
    code = "overloaded"
    outcome = Outcome.BUSY


class EngineAborted(EngineError):
    code = "engine_aborted"


class StreamBroken(EngineError):
    code = "stream_broken"


class BadRequest(EngineError):
    code = "bad_request"
    outcome = Outcome.REFUSED


class NotReady(Exception):
    """No replica became ready in time; the message names each replica with its state."""


class QueueFull(Exception):
    """Whoever came now would wait for `wait_s`, which is too long."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"the line is full: about {wait_s:.1f} s")
        self.wait_s = wait_s

    @property
    def retry_after_s(self) -> float:
        """When the line is likely to be half as long."""
        return max(1.0, self.wait_s / 2)


class UnknownReplica(LookupError):
    """No replica of that id is in the set."""
