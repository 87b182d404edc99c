"""The agents' queue."""

from datetime import datetime

from pydantic import BaseModel

from chat.schemas.message import ReplyDetails
from sessions import Conversation, ConversationState


class Queued(BaseModel):
    id: str
    site: str
    state: ConversationState
    demand: str | None
    sentiment: str | None
    updated_at: datetime

    @classmethod
    def of(cls, row: Conversation) -> "Queued":
        return cls(site=row.site_key, **row.model_dump(include=cls.model_fields.keys() - {"site"}))


class AgentView(BaseModel):
    id: str
    site: str
    state: ConversationState
    messages: list[ReplyDetails]
