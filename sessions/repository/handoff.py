"""The passing of a conversation between bot and humans."""

from typing import Any

from sessions.models import Conversation
from sessions.repository.log import Log
from sessions.vocabulary import ConversationState, EventKind


def hand_to(log: Log, conversation: Conversation, state: ConversationState, agent: str | None = None) -> None:
    """Change who answers a locked conversation, and say so."""
    conversation.state, conversation.agent = state, agent
    payload: dict[str, Any] = {"state": state}
    log.append(conversation, EventKind.HANDOFF, payload if agent is None else payload | {"agent": agent})
