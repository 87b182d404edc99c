"""What the staff is told of a reply."""

from sessions.models import Conversation, Turn
from sessions.repository.log import Log
from sessions.vocabulary import EventKind


def annotated(log: Log, conversation: Conversation, turn: Turn) -> None:
    """Write the staff's event of a turn that is done; what the engine did not get to write is null."""
    payload = {
        "turn_id": turn.id,
        "message_id": turn.reply_message_id,
        "action": turn.action,
        "template": turn.template,
        "demand": turn.demand,
        "sentiment": turn.sentiment,
        "action_reason": turn.action_reason,
        "usage": usage_of(turn),
        "replica": turn.replica,
        "placement": turn.placement,
        "attempts": turn.attempts,
        "ttfv_ms": turn.ttfv_ms,
        "total_ms": turn.total_ms,
    }
    log.append(conversation, EventKind.TURN_ANNOTATED, payload, turn_id=turn.id, staff=True)


def usage_of(turn: Turn) -> dict[str, int | None]:
    """The engine's count of tokens, all None when it sent none."""
    return {
        "prompt_tokens": turn.prompt_tokens,
        "cached_tokens": turn.cached_tokens,
        "completion_tokens": turn.completion_tokens,
    }
