"""Messages: the lines of a transcript, as customers and as agents see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from chat.schemas.request import KEY_PATTERN, RequestBody
from sessions import Message, MessageDetails, Role


class MessageOut(BaseModel):
    id: str
    seq: int
    turn_id: str | None
    role: Role
    content: str
    quick_replies: list[str]
    created_at: datetime

    @classmethod
    def of(cls, row: Message) -> "MessageOut":
        return cls.model_validate(row.wire())


class SlotSource(StrEnum):
    COPIED = "copied"
    CHOICE = "choice"
    FACT = "fact"
    GENERATED = "generated"


class FilledSlot(BaseModel):
    value: str | None
    source: SlotSource


class LookupSeen(BaseModel):
    name: str
    outcome: str


class UsageSeen(BaseModel):
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None


class ReplyDetails(MessageOut):
    """An assistant's message with all that the staff may know of its making; other roles leave these null.

    `staff` marks an agent's note that no customer sees.
    """

    staff: bool = False
    action: str | None = None
    template: str | None = None
    slots: dict[str, FilledSlot] | None = None
    lookup: LookupSeen | None = None
    demand: str | None = None
    sentiment: str | None = None
    action_reason: str | None = None
    usage: UsageSeen | None = None
    replica: str | None = None
    placement: str | None = None
    attempts: int | None = None
    trace_id: str | None = None
    ttfv_ms: float | None = None
    total_ms: float | None = None

    @classmethod
    def of(cls, row: MessageDetails) -> "ReplyDetails":
        turn = row.turn
        if turn is None:
            return cls.model_validate(row.message.wire() | {"staff": row.message.staff})
        usage = {name: getattr(turn, name) for name in UsageSeen.model_fields}
        made = turn.model_dump(include=cls.model_fields.keys() - MessageOut.model_fields.keys())
        return cls.model_validate(row.message.wire() | made | {"usage": usage, "attempts": turn.attempts})


class Words(RequestBody):
    """What an agent says or notes; measured by the service."""

    text: str


class AgentWords(Words):
    """`suggestion` is the id of the suggestion that the text was made of."""

    suggestion: Annotated[str | None, Field(pattern=KEY_PATTERN)] = None


class HandBack(RequestBody):
    """`note` is for the bot; the customer does not see it."""

    note: str | None = None
