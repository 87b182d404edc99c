"""Help for agents. Nothing here is ever sent to a customer by itself."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from chat.assist import desk, foreign
from chat.auth import Agent, Operator
from chat.idempotency import Idempotent
from chat.schemas.assist import (
    Assistance,
    Foreign,
    Outcome,
    Said,
    SuggestionOut,
    SummaryOut,
    TemplateOutcomesOut,
)
from chat.schemas.page import Page
from chat.schemas.request import KEY_PATTERN, Nothing
from chat.services import Services, services_of

router = APIRouter(tags=["assist"])
With = Annotated[Services, Depends(services_of)]


@router.post("/agent/conversations/{conversation_id}/suggestions")
async def suggest(
    conversation_id: str, agent: Agent, services: With, once: Idempotent, body: Nothing | None = None
) -> Page[SuggestionOut]:
    """Up to three replies to the customer's last message, by three different templates."""
    return Page[SuggestionOut].model_validate(await desk.suggest(services, agent, conversation_id, once=once))


@router.post("/agent/conversations/{conversation_id}/summary")
async def sum_up(conversation_id: str, agent: Agent, services: With, body: Nothing | None = None) -> SummaryOut:
    """Demand, facts, promises, open questions."""
    return SummaryOut.model_validate(await desk.sum_up(services, agent, conversation_id), from_attributes=True)


@router.post("/agent/suggestions/{suggestion_id}/outcome")
async def decide(suggestion_id: str, body: Said, agent: Agent, services: With) -> Outcome:
    """A suggestion was rejected, or another help desk has sent it, as it was or edited."""
    return Outcome(id=suggestion_id, outcome=await desk.decide(services, agent, suggestion_id, body.text))


@router.post("/assist")
async def assist(body: Foreign, agent: Agent, services: With, once: Idempotent) -> Assistance:
    """Suggestions and a summary for a conversation of another help desk."""
    return Assistance.model_validate(await foreign.assist(services, agent, body, once=once))


@router.get("/suggestions/outcomes")
async def outcomes(
    operator: Operator, services: With, site: Annotated[str | None, Query(pattern=KEY_PATTERN)] = None
) -> Page[TemplateOutcomesOut]:
    """By template: how many suggestions agents accepted, edited, rejected, and how many came too late."""
    found = await desk.outcomes(services, operator, site)
    return Page(data=[TemplateOutcomesOut.model_validate(each, from_attributes=True) for each in found])
