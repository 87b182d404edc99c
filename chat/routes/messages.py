"""The transcript."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chat import conversations
from chat.auth import InConversation
from chat.schemas.message import MessageOut
from chat.schemas.page import AfterSeq, Limit, Page
from chat.services import Services, services_of

router = APIRouter(tags=["messages"])


@router.get("/conversations/{conversation_id}/messages")
async def messages(
    conversation_id: str,
    services: Annotated[Services, Depends(services_of)],
    caller: InConversation,
    limit: Limit = 100,
    after: AfterSeq = 0,
) -> Page[MessageOut]:
    """Messages in order of `seq`."""
    return await conversations.messages(services, caller, conversation_id, limit=limit, after=after)
