"""Help for agents: suggestions, summaries, and what became of them."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from chat.schemas.conversation import Locale
from chat.schemas.message import FilledSlot
from chat.schemas.page import Page
from chat.schemas.request import KEY_PATTERN, RequestBody

MOST_LINES = 200
LINE_MAX_CHARS = 8000


class SuggestionOut(BaseModel):
    """`base_seq` is how far the conversation had come: once somebody speaks after it, the suggestion is withdrawn."""

    id: str
    text: str
    template: str
    slots: dict[str, FilledSlot]
    base_seq: int


class SummaryOut(BaseModel):
    """`by_engine` tells whether the engine had a part in it; without one it is what the turns say for certain."""

    demand: str | None
    sentiment: str | None
    facts: list[str]
    promises: list[str]
    open_questions: list[str]
    by_engine: bool


class Speaker(StrEnum):
    """Who wrote a line of a foreign transcript."""

    CUSTOMER = "customer"
    AGENT = "agent"
    BOT = "bot"


class ForeignLine(RequestBody):
    role: Speaker
    text: Annotated[str, Field(max_length=LINE_MAX_CHARS)]


class Foreign(RequestBody):
    """A conversation of another help desk. `conversation` is its id there: what follows then finds the cache warm."""

    site: Annotated[str, Field(pattern=KEY_PATTERN)]
    transcript: Annotated[list[ForeignLine], Field(min_length=1, max_length=MOST_LINES)]
    locale: Locale | None = None
    conversation: Annotated[str | None, Field(max_length=200)] = None


class Assistance(Page[SuggestionOut]):
    summary: SummaryOut


class Said(RequestBody):
    """What was sent in the end; without it, the suggestion was rejected."""

    text: Annotated[str | None, Field(max_length=LINE_MAX_CHARS)] = None


class Outcome(BaseModel):
    id: str
    outcome: str


class TemplateOutcomesOut(BaseModel):
    """What agents made of a template's suggestions. `open` ones were shown and nothing has followed yet."""

    site: str
    template: str
    shown: int
    accepted: int
    edited: int
    rejected: int
    withdrawn: int
    open: int
