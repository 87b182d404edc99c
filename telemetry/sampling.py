"""Which traces are worth keeping, once their turns have ended (tail sampling). Pure.

The built-in store keeps every trace at first, since a turn may be asked for at once, and is thinned out later. A
collector that is fed by OTLP samples by its own rules: `deploy/otel-collector.yml` has the same ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.names import ERROR_TYPE, PLACEMENT, TURN_ATTEMPTS, TURN_OUTCOME
from telemetry.record import SpanRecord

_ORDINARY_OUTCOMES = ("done", "stopped")
_ORDINARY_PLACEMENTS = (None, "pinned", "placed")
_STEPS = 10_000


@dataclass(frozen=True)
class Sampling:
    """`share` (0..1) of ordinary turns is kept, and every turn that failed, took longer than `slow_ms`, needed another
    attempt, or left its pin.
    """

    share: float = 1.0
    slow_ms: float = 2000.0

    def keeps(self, trace_id: str, turns: Iterable[SpanRecord]) -> bool:
        """Whether a trace with these turns stays; every process decides the same."""
        return int(trace_id[-8:], 16) % _STEPS < self.share * _STEPS or any(map(self.is_telling, turns))

    def is_telling(self, turn: SpanRecord) -> bool:
        """Whether somebody may want to know why this turn went as it did."""
        told = turn.attributes
        return (
            ERROR_TYPE in told
            or told.get(TURN_OUTCOME) not in _ORDINARY_OUTCOMES
            or told.get(TURN_ATTEMPTS, 1) != 1
            or told.get(PLACEMENT) not in _ORDINARY_PLACEMENTS
            or (turn.end_ns - turn.start_ns) / 1e6 > self.slow_ms
        )
