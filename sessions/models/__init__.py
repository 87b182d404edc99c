"""The store's tables."""

from sessions.models.account import Account, AuditEntry, Presence, StaffSession
from sessions.models.base import Base
from sessions.models.conversation import Conversation, Rating
from sessions.models.demo_account import DemoAccount
from sessions.models.demo_order import DemoOrder
from sessions.models.drain import Drain
from sessions.models.event import Event
from sessions.models.fold import Fold
from sessions.models.idempotency import IdempotentAnswer
from sessions.models.message import Feedback, Message
from sessions.models.pack import PackVersion, Recall
from sessions.models.person import PersonSession, UsedProof
from sessions.models.session_pin import SessionPin
from sessions.models.site import ApiKey, Site
from sessions.models.suggestion import Suggestion
from sessions.models.turn import Turn
from sessions.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Account",
    "ApiKey",
    "AuditEntry",
    "Base",
    "Conversation",
    "DemoAccount",
    "DemoOrder",
    "Drain",
    "Event",
    "Feedback",
    "Fold",
    "IdempotentAnswer",
    "Message",
    "PackVersion",
    "PersonSession",
    "Presence",
    "Rating",
    "Recall",
    "SessionPin",
    "Site",
    "StaffSession",
    "Suggestion",
    "Turn",
    "UsedProof",
    "WebhookDelivery",
    "WebhookEndpoint",
]
