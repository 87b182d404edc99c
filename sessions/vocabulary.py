"""The closed sets that are stored and cross the wire."""

from enum import StrEnum


class ConversationState(StrEnum):
    """Who answers: `waiting` has asked for a human while the bot still answers, `agent` silences the bot."""

    BOT = "bot"
    WAITING = "waiting"
    AGENT = "agent"
    CLOSED = "closed"


class TurnState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


OPEN_TURN_STATES = (TurnState.QUEUED, TurnState.RUNNING)


class Role(StrEnum):
    """Who speaks in a transcript."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    AGENT = "agent"
    SYSTEM = "system"


class HistoryRole(StrEnum):
    """Who speaks in what the engine reads; `note` is what an agent wrote for the bot when handing back."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    AGENT = "agent"
    NOTE = "note"


class Action(StrEnum):
    REPLY = "reply"
    CLARIFY = "clarify"
    HANDOFF = "handoff"


class Sentiment(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    ANGRY = "angry"


class EventKind(StrEnum):
    """The kinds of the HTTP contract; `turn.annotated` and `note` are for the staff only."""

    TURN_STARTED = "turn.started"
    REPLY_DELTA = "reply.delta"
    REPLY_RESET = "reply.reset"
    REPLY_DONE = "reply.done"
    TURN_STOPPED = "turn.stopped"
    TURN_FAILED = "turn.failed"
    TURN_ANNOTATED = "turn.annotated"
    MESSAGE = "message"
    HANDOFF = "handoff"
    TYPING = "typing"
    NOTE = "note"
    CONVERSATION_CLOSED = "conversation.closed"


class WebhookKind(StrEnum):
    """What programs are called back for."""

    CONVERSATION_OPENED = "conversation.opened"
    REPLY_DONE = "reply.done"
    CONVERSATION_HANDED_OVER = "conversation.handed_over"
    CONVERSATION_CLOSED = "conversation.closed"
    CONVERSATION_RATED = "conversation.rated"


class DeliveryState(StrEnum):
    """`dead` is tried no more: refused for good, or without success for hours."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class FeedbackValue(StrEnum):
    UP = "up"
    DOWN = "down"


class SuggestionOutcome(StrEnum):
    """What became of a text that an agent was offered: `withdrawn` when the conversation went on before a choice."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Away(StrEnum):
    """Why nobody of the staff answers now."""

    CLOSED = "closed"
    NOBODY = "nobody"
