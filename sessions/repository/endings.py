"""How turns end without a reply."""

from typing import Any

from sqlalchemy import select

from sessions.columns import now
from sessions.models import Conversation, Turn
from sessions.repository.log import Log
from sessions.vocabulary import OPEN_TURN_STATES, EventKind, TurnState


async def end_turn(
    log: Log, conversation: Conversation, turn: Turn, state: TurnState, kind: EventKind, payload: dict[str, Any]
) -> None:
    """End a locked turn of a locked conversation with the event that says so; its passing text goes."""
    await log.drop_deltas(conversation.id, turn.id)
    event = log.append(conversation, kind, {"turn_id": turn.id} | payload, turn_id=turn.id)
    turn.state, turn.finished_at, turn.lease_until = state, now(), None
    if turn.prompt_seq is None:
        turn.prompt_seq = event.seq


async def stop_turn(log: Log, conversation: Conversation, turn: Turn, reason: str | None = None) -> None:
    """Stop a locked turn from outside. Whoever was answering it has lost it."""
    payload = {} if reason is None else {"reason": reason}
    await end_turn(log, conversation, turn, TurnState.STOPPED, EventKind.TURN_STOPPED, payload)
    log.tx.ended.append(turn)


async def stop_unanswered(log: Log, conversation: Conversation, reason: str) -> None:
    """Stop every turn of a locked conversation that has no reply yet, in their order."""
    unanswered = (
        select(Turn)
        .where(
            Turn.conversation_id == conversation.id,
            Turn.state.in_(OPEN_TURN_STATES),
            Turn.reply_message_id.is_(None),
        )
        .order_by(Turn.seq)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for turn in (await log.session.scalars(unanswered)).all():
        await stop_turn(log, conversation, turn, reason)
