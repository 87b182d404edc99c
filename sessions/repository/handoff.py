"""The passing of a conversation between bot and humans."""

from typing import Any

from sessions.columns import now
from sessions.models import Conversation
from sessions.repository.log import Log
from sessions.vocabulary import Away, ConversationState, EventKind


def hand_to(
    log: Log,
    conversation: Conversation,
    state: ConversationState,
    agent: str | None = None,
    away: Away | None = None,
) -> None:
    """Change who answers a locked conversation, and say so; `away` tells the customer that nobody will at once."""
    conversation.state, conversation.agent = state, agent
    conversation.leaving = False
    conversation.waiting_since = now() if state == ConversationState.WAITING else None
    told = {"state": state, "agent": agent, "away": away}
    payload: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    log.append(conversation, EventKind.HANDOFF, payload)
