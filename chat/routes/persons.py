"""Customers whom their website has signed for."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chat import persons
from chat.auth import BeforeProof
from chat.idempotency import Idempotent
from chat.schemas.person import Attached, NewProof, NewSession, Proved
from chat.services import Services, services_of

router = APIRouter(tags=["persons"])
With = Annotated[Services, Depends(services_of)]


@router.post("/identify")
async def begin_session(body: NewSession, request: Request, services: With) -> Proved:
    """Change a signed identity for a token that opens the person's conversations, on whatever device they began."""
    address = services.proxies.client_address(request.scope)
    return Proved(token=await persons.begin_session(services, body.site, body.identity, address=address))


@router.post("/conversations/{conversation_id}/identify")
async def identify(
    conversation_id: str, body: NewProof, request: Request, services: With, customer: BeforeProof, once: Idempotent
) -> Attached:
    """Make an anonymous conversation that of the person whom the website has signed for; its old token is void."""
    address = services.proxies.client_address(request.scope)
    answer = await persons.identify(services, customer, conversation_id, body.identity, address=address, once=once)
    return Attached.model_validate(answer)
