"""What must not be lost: conversations, their turns and their event log, behind one store."""

from sessions.claim import Accepted, Annotation, Claim, Delta, HistoryItem, Reply
from sessions.demo import seed_demo
from sessions.errors import Conflict, LostLease, NotFound, ReplayMismatch, StoreError, Unavailable
from sessions.migrate import upgrade
from sessions.models import (
    ApiKey,
    Conversation,
    DemoAccount,
    DemoOrder,
    Event,
    Feedback,
    Fold,
    Message,
    Rating,
    Site,
    Turn,
)
from sessions.pin import Pin
from sessions.principal import Customer, Person, Principal, Scope, Server, Staff
from sessions.repository import MessageDetails, Outcome, Release, Repository, Thumbs, Told
from sessions.store import Store
from sessions.vocabulary import (
    Action,
    ConversationState,
    EventKind,
    FeedbackValue,
    HistoryRole,
    Role,
    Sentiment,
    TurnState,
)

__all__ = [
    "Accepted",
    "Action",
    "Annotation",
    "ApiKey",
    "Claim",
    "Conflict",
    "Conversation",
    "ConversationState",
    "Customer",
    "Delta",
    "DemoAccount",
    "DemoOrder",
    "Event",
    "EventKind",
    "Feedback",
    "FeedbackValue",
    "Fold",
    "HistoryItem",
    "HistoryRole",
    "LostLease",
    "Message",
    "MessageDetails",
    "NotFound",
    "Outcome",
    "Person",
    "Pin",
    "Principal",
    "Rating",
    "Release",
    "ReplayMismatch",
    "Reply",
    "Repository",
    "Role",
    "Scope",
    "Sentiment",
    "Server",
    "Site",
    "Staff",
    "Store",
    "StoreError",
    "Thumbs",
    "Told",
    "Turn",
    "TurnState",
    "Unavailable",
    "seed_demo",
    "upgrade",
]
