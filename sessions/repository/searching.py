"""What staff looks for in its lists of conversations."""

from dataclasses import dataclass

from sqlalchemy import Select, or_, select

from sessions.models import Conversation, Message
from sessions.vocabulary import ConversationState, Sentiment


@dataclass(frozen=True)
class Search:
    """What a conversation has to be like; None asks nothing. `words` stand in its lines, its demand, or are its id.

    `agent` is who has it, `not_agent` who has not.
    """

    state: ConversationState | None = None
    site: str | None = None
    sentiment: Sentiment | None = None
    demand: str | None = None
    words: str | None = None
    agent: str | None = None
    not_agent: str | None = None


def narrowed(wanted: Select[tuple[Conversation]], search: Search) -> Select[tuple[Conversation]]:
    """Only those conversations that are looked for."""
    exact = {"state": search.state, "site_key": search.site, "sentiment": search.sentiment, "agent": search.agent}
    for name, value in exact.items():
        if value is not None:
            wanted = wanted.where(getattr(Conversation, name) == value)
    if search.not_agent is not None:
        wanted = wanted.where(Conversation.agent.is_distinct_from(search.not_agent))
    if search.demand:
        wanted = wanted.where(Conversation.demand.icontains(search.demand, autoescape=True))
    if search.words:
        said = select(Message.conversation_id).where(Message.content.icontains(search.words, autoescape=True))
        named = Conversation.demand.icontains(search.words, autoescape=True)
        wanted = wanted.where(or_(Conversation.id == search.words, named, Conversation.id.in_(said)))
    return wanted
