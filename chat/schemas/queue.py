"""The agents' queue."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from chat.schemas.message import ReplyDetails
from chat.schemas.request import KEY_PATTERN
from sessions import Conversation, ConversationState, Search, Sentiment, Staff

PREVIEW_CHARS = 140


class Queued(BaseModel):
    """`agent` has the conversation, `last_words` are the customer's, `contact` is how to reach them."""

    id: str
    site: str
    state: ConversationState
    agent: str | None
    demand: str | None
    sentiment: str | None
    last_words: str | None
    contact: str | None
    waiting_since: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Conversation, last_words: str | None = None) -> "Queued":
        shown = last_words and last_words[:PREVIEW_CHARS]
        fields = row.model_dump(include=cls.model_fields.keys() - {"site", "last_words"})
        return cls(site=row.site_key, last_words=shown, **fields)


class QueueSearch(BaseModel):
    """What the list holds only; `mine` true is what the caller has, false what others have."""

    state: ConversationState | None = None
    site: Annotated[str | None, Query(pattern=KEY_PATTERN)] = None
    sentiment: Sentiment | None = None
    demand: Annotated[str | None, Query(max_length=200)] = None
    q: Annotated[str | None, Query(max_length=200)] = None
    mine: bool | None = None

    def by(self, agent: Staff) -> Search:
        return Search(
            state=self.state,
            site=self.site,
            sentiment=self.sentiment,
            demand=self.demand,
            words=self.q and self.q.strip(),
            agent=agent.name if self.mine else None,
            not_agent=agent.name if self.mine is False else None,
        )


class AgentView(BaseModel):
    """`promises` are the lines that commit us to something, `locale` what the customer reads.

    `subject` is who the website says the customer is.
    """

    id: str
    site: str
    state: ConversationState
    agent: str | None
    locale: str
    subject: str | None
    demand: str | None
    sentiment: str | None
    contact: str | None
    pack: str
    pack_version: str
    last_seq: int
    created_at: datetime
    rating: "RatingSeen | None" = None
    promises: list["Promise"] = Field(default_factory=list)
    messages: list[ReplyDetails]


class RatingSeen(BaseModel):
    score: int
    comment: str | None


class Promise(BaseModel):
    """`seq` is that of the message in which it was made."""

    seq: int
    text: str
