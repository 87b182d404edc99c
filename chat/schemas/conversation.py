"""Conversations as their customers see them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from chat.schemas.request import KEY_PATTERN, RequestBody
from sessions import Conversation, ConversationState, FeedbackValue

Locale = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")]
SignedIdentity = Annotated[str, Field(min_length=1, max_length=4096)]
"""A JSON Web Token, see `chat.identity`."""


class NewConversation(RequestBody):
    site: Annotated[str, Field(pattern=KEY_PATTERN)]
    locale: Locale | None = None
    identity: SignedIdentity | None = None


class Opened(BaseModel):
    """The token is shown this once; only its hash is kept."""

    id: str
    token: str
    greeting: str


class ConversationSummary(BaseModel):
    id: str
    site: str
    state: ConversationState
    locale: str
    last_seq: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Conversation) -> "ConversationSummary":
        return cls(site=row.site_key, **row.model_dump(include=cls.model_fields.keys() - {"site"}))


class StateNow(BaseModel):
    id: str
    state: ConversationState


class LeftMessage(RequestBody):
    """`contact` is how the customer wants to be reached, in their own words."""

    text: str
    contact: Annotated[str | None, Field(max_length=200)] = None


class NewRating(RequestBody):
    score: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: Annotated[str | None, Field(max_length=2000)] = None


class NewFeedback(RequestBody):
    value: FeedbackValue


class Given(BaseModel):
    """What the customer has said about the conversation: thumbs by message id, and a rating if there is one."""

    votes: dict[str, FeedbackValue]
    rating: NewRating | None
