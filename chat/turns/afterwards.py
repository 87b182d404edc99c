"""What is told of a turn whose owner could not tell: it was stopped from outside, or its owner died.

A server that is killed takes with it the spans of its last moment. Those of an unfinished turn are written again by
whoever takes the turn over; that of a turn which had just ended is written here, from the turn's row.
"""

from datetime import timedelta
from pathlib import Path

import structlog

from chat.services import Services
from sessions import Turn, TurnState, Unavailable
from sessions.columns import now
from telemetry import Telemetry
from telemetry.identity import turn_span_id
from telemetry.names import ERROR_TYPE, TURN_ATTEMPTS, TURN_OUTCOME, TURN_QUEUE_MS

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(minutes=15)
"""A server that was killed is started again by then."""

ON_THEIR_WAY = timedelta(seconds=1)
"""Spans of living servers' turns are in the store by then."""


def trace_ended(telemetry: Telemetry, model: str, turn: Turn) -> None:
    """The turn was ended by somebody else than its owner. What its owner did tell stays: it is later."""
    if turn.state == TurnState.STOPPED:
        telemetry.metrics.turns.labels("stopped").inc()
        _record_root(telemetry, turn)
    else:
        _record_all(telemetry, model, turn)


async def record_missing(services: Services) -> None:
    """Write the roots that are missing of turns that have ended lately, and the attempts under them."""
    try:
        async with services.store.read() as repo:
            ended = await repo.turns.ended_between(now() - LOOK_BACK, now() - ON_THEIR_WAY)
    except Unavailable:
        log.warning("store_unavailable", loop="missing traces")
        return
    telemetry = services.telemetry
    known = await telemetry.known([turn_span_id(turn.id) for turn in ended])
    # A trace that sampling has thinned out is not missing.
    missing = [
        turn
        for turn in ended
        if turn.trace_id and turn_span_id(turn.id) not in known and telemetry.config.sampling.keeps(turn.trace_id, ())
    ]
    for turn in missing:
        _record_all(telemetry, Path(services.settings.model).name, turn)
    if missing:
        log.info("traces_mended", turns=len(missing))


def _record_all(telemetry: Telemetry, model: str, turn: Turn) -> None:
    if turn.traceparent is None:
        return
    accepted_ns = int(turn.created_at.timestamp() * 1e9)
    for attempt in range(1, turn.attempt + 1):
        telemetry.record_lost_attempt(
            turn.traceparent, turn.conversation_id, turn.id, attempt, model, accepted_ns=accepted_ns
        )
    _record_root(telemetry, turn)


def _record_root(telemetry: Telemetry, turn: Turn) -> None:
    if turn.traceparent is None or turn.finished_at is None:
        return
    start_ns, end_ns = (int(moment.timestamp() * 1e9) for moment in (turn.created_at, turn.finished_at))
    if turn.state == TurnState.DONE and turn.total_ms is not None:
        end_ns = start_ns + int(turn.total_ms * 1e6)  # what the customer waited for, earlier than any owner's own end
    told = {TURN_OUTCOME: turn.state, TURN_ATTEMPTS: turn.attempts}
    if turn.attempt == 0:
        told[TURN_QUEUE_MS] = (end_ns - start_ns) / 1e6
    if turn.error_code:
        told[ERROR_TYPE] = turn.error_code
    telemetry.start_turn(turn.traceparent, turn.conversation_id, turn.id, start_ns=start_ns, attributes=told).end(
        end_ns
    )
