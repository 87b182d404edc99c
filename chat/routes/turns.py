"""Turns: a customer's message, and what can be done about the reply to it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from chat import conversations
from chat.auth import OfConversation
from chat.schemas.request import Nothing
from chat.schemas.turn import NewTurn, Painted, TurnAccepted, TurnNow
from chat.services import Services, services_of

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["turns"])
With = Annotated[Services, Depends(services_of)]
Traceparent = Annotated[str | None, Header()]


@router.post("/turns", status_code=HTTPStatus.ACCEPTED)
async def post_turn(
    conversation_id: str,
    body: NewTurn,
    request: Request,
    response: Response,
    services: With,
    customer: OfConversation,
    traceparent: Traceparent = None,
) -> TurnAccepted:
    """Accepted once it is stored; the reply arrives as events. A repeated `client_turn_id` answers 200."""
    accepted = await conversations.post_turn(
        services,
        customer,
        conversation_id,
        text=body.text,
        client_turn_id=body.client_turn_id,
        address=services.proxies.client_address(request.scope),
        traceparent=traceparent,
    )
    if accepted.replay:
        response.status_code = HTTPStatus.OK
    return TurnAccepted(turn_id=accepted.turn_id, seq=accepted.seq)


@router.post("/turns/{turn_id}/stop")
async def stop_turn(
    conversation_id: str, turn_id: str, services: With, customer: OfConversation, body: Nothing | None = None
) -> TurnNow:
    return await conversations.stop_turn(services, customer, conversation_id, turn_id)


@router.post("/turns/{turn_id}/retry")
async def retry_turn(
    conversation_id: str, turn_id: str, services: With, customer: OfConversation, body: Nothing | None = None
) -> TurnNow:
    return await conversations.retry_turn(services, customer, conversation_id, turn_id)


@router.post("/painted")
async def painted(
    conversation_id: str, services: With, customer: OfConversation, body: Painted | Nothing | None = None
) -> Nothing:
    """The page's beacon: the customer sees the first text of a reply. Without a turn there is nothing to record."""
    await conversations.get(services, customer, conversation_id)
    if isinstance(body, Painted):
        await conversations.painted(services, customer, conversation_id, body)
    return Nothing()
