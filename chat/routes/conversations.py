"""Conversations from the customer's side."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.requests import Request

from chat import conversations, handoff, verdicts
from chat.auth import AsPerson, InConversation, OfConversation
from chat.idempotency import Idempotent
from chat.schemas.conversation import (
    ConversationSummary,
    Given,
    LeftMessage,
    NewConversation,
    NewFeedback,
    NewRating,
    Opened,
    StateNow,
)
from chat.schemas.message import MessageOut
from chat.schemas.page import After, Limit, Page
from chat.schemas.request import Nothing
from chat.services import Services, services_of

router = APIRouter(tags=["conversations"])
With = Annotated[Services, Depends(services_of)]


@router.post("/conversations", status_code=HTTPStatus.CREATED)
async def open_conversation(
    body: NewConversation, request: Request, services: With, person: AsPerson, once: Idempotent
) -> Opened:
    """Begin a conversation; the token is shown this once."""
    opened = await conversations.open_conversation(
        services,
        body.site,
        locale=body.locale,
        identity=body.identity,
        person=person,
        address=services.proxies.client_address(request.scope),
        once=once,
    )
    return Opened.model_validate(opened, from_attributes=True)


@router.get("/conversations")
async def list_conversations(
    services: With, customer: OfConversation, limit: Limit = 50, after: After = None
) -> Page[ConversationSummary]:
    """The customer's own conversations, newest first: `Authorization: Bearer TOKEN, TOKEN` names several."""
    return await conversations.list_own(services, customer, limit=limit, after=after)


@router.post("/conversations/{conversation_id}/handoff")
async def request_handoff(
    conversation_id: str, services: With, customer: OfConversation, once: Idempotent, body: Nothing | None = None
) -> StateNow:
    """Ask for a person."""
    return StateNow.model_validate(await conversations.request_handoff(services, customer, conversation_id, once=once))


@router.post("/conversations/{conversation_id}/leave")
async def leave_message(
    conversation_id: str, body: LeftMessage, services: With, customer: OfConversation, once: Idempotent
) -> MessageOut:
    """Leave a message for the staff while nobody is there; the bot does not answer it."""
    left = await handoff.leave_message(services, customer, conversation_id, body.text, body.contact, once=once)
    return MessageOut.model_validate(left)


@router.post("/conversations/{conversation_id}/close")
async def close(
    conversation_id: str, services: With, caller: InConversation, once: Idempotent, body: Nothing | None = None
) -> StateNow:
    return StateNow.model_validate(await conversations.close(services, caller, conversation_id, once=once))


@router.post("/conversations/{conversation_id}/typing")
async def typing(conversation_id: str, services: With, caller: InConversation, body: Nothing | None = None) -> Nothing:
    """Tell the other side that somebody is writing."""
    await conversations.typing(services, caller, conversation_id)
    return Nothing()


@router.post("/conversations/{conversation_id}/rating")
async def rate(
    conversation_id: str, body: NewRating, services: With, customer: OfConversation, once: Idempotent
) -> NewRating:
    answer = await verdicts.rate(services, customer, conversation_id, score=body.score, comment=body.comment, once=once)
    return NewRating.model_validate(answer)


@router.post("/messages/{message_id}/feedback")
async def feedback(
    message_id: str, body: NewFeedback, services: With, customer: OfConversation, once: Idempotent
) -> NewFeedback:
    answer = await verdicts.feedback(services, customer, message_id, value=body.value, once=once)
    return NewFeedback.model_validate(answer)


@router.get("/conversations/{conversation_id}/feedback")
async def given(conversation_id: str, services: With, caller: InConversation) -> Given:
    """The thumbs and the rating that the customer has given, for a page that shows the conversation again."""
    return await verdicts.given(services, caller, conversation_id)


@router.get("/conversations/{conversation_id}/export")
async def export(conversation_id: str, services: With, caller: InConversation) -> dict[str, Any]:
    """Everything that is held of the conversation."""
    return await conversations.export(services, caller, conversation_id)


@router.delete("/conversations/{conversation_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete(conversation_id: str, services: With, caller: InConversation) -> Response:
    """Really gone, with its messages, turns and events."""
    await conversations.delete(services, caller, conversation_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
