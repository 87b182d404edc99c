"""The one place that speaks SQL: what can be asked of the store inside one transaction."""

from sqlalchemy import select

from sessions.repository.accounts import Accounts
from sessions.repository.audit import Audit
from sessions.repository.conversations import Conversations
from sessions.repository.desk import Thumbs
from sessions.repository.drains import Drains
from sessions.repository.events import Events
from sessions.repository.figures import Figures, Replies, Span, Talks, TemplateReplies, Times
from sessions.repository.folds import Folds, Told
from sessions.repository.history import Replied
from sessions.repository.idempotency import Idempotency
from sessions.repository.messages import MessageDetails, Messages
from sessions.repository.orders import Orders
from sessions.repository.outbox import Due, Outbox
from sessions.repository.outcomes import Outcome, Outcomes
from sessions.repository.packs import PackVersions, Release
from sessions.repository.people import Lifetime, People, SignedIn
from sessions.repository.persons import Persons
from sessions.repository.presence import Presences
from sessions.repository.searching import Search
from sessions.repository.sites import Sites
from sessions.repository.suggestions import Suggestions, TemplateOutcomes
from sessions.repository.transaction import Transaction
from sessions.repository.turns import Turns
from sessions.repository.webhooks import Webhooks


class Repository:
    """Rows that it returns can be read after the transaction; changing them changes nothing then."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.sites = Sites(tx)
        self.conversations = Conversations(tx)
        self.turns = Turns(tx)
        self.messages = Messages(tx)
        self.events = Events(tx)
        self.orders = Orders(tx)
        self.accounts = Accounts(tx)
        self.persons = Persons(tx)
        self.packs = PackVersions(tx)
        self.folds = Folds(tx)
        self.outcomes = Outcomes(tx)
        self.idempotency = Idempotency(tx)
        self.drains = Drains(tx)
        self.people = People(tx)
        self.audit = Audit(tx)
        self.presence = Presences(tx)
        self.figures = Figures(tx)
        self.suggestions = Suggestions(tx)
        self.webhooks = Webhooks(tx)
        self.outbox = Outbox(tx)

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        await self.tx.session.execute(select(1))


__all__ = [
    "Due", "Lifetime", "MessageDetails", "Outcome", "Release", "Replied", "Replies", "Repository",
    "Search", "SignedIn", "Span", "Talks", "TemplateOutcomes", "TemplateReplies", "Thumbs", "Times", "Told",
]  # fmt: skip
