"""Conversations from the agent's side."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from chat import staff
from chat.auth import Agent
from chat.idempotency import Idempotent
from chat.presence import at_the_desk, ended_with_access
from chat.schemas.message import AgentWords, HandBack, MessageOut
from chat.schemas.page import After, Limit, Page
from chat.schemas.queue import AgentView, Queued, QueueSearch
from chat.schemas.request import Nothing
from chat.schemas.trace import Explanation, TraceOut
from chat.services import Services, services_of
from chat.streams import StreamKind
from chat.wire import opening, queued_event

router = APIRouter(prefix="/agent", tags=["agent"])
With = Annotated[Services, Depends(services_of)]


@router.get("/conversations")
async def queue(
    agent: Agent, services: With, wanted: Annotated[QueueSearch, Depends()], limit: Limit = 50, after: After = None
) -> Page[Queued]:
    """The conversations of the agent's sites that are looked for, newest first."""
    return await staff.queue(services, agent, wanted, limit=limit, after=after)


async def _open_for_streams(services: With) -> None:
    services.streams.refuse_when_closed()


@router.get("/events", response_class=EventSourceResponse, dependencies=[Depends(_open_for_streams)])
async def queue_events(agent: Agent, services: With, request: Request) -> AsyncIterator[ServerSentEvent]:
    """Each conversation of the queue that changed from now on, as the queue lists it: open first, then list.

    Whoever listens is there for customers who ask for a person.
    """
    yield opening()
    with services.streams.open(StreamKind.QUEUE) as end:
        async with at_the_desk(services, agent), ended_with_access(services, request, end):
            async for conversation_id in services.store.feed.tail_queue(agent, stop=end):
                yield queued_event(conversation_id, await staff.queued(services, agent, conversation_id))


@router.get("/conversations/{conversation_id}")
async def conversation(conversation_id: str, agent: Agent, services: With) -> AgentView:
    """The transcript with all that is known of the making of each reply."""
    return await staff.view(services, agent, conversation_id)


@router.post("/conversations/{conversation_id}/takeover")
async def takeover(
    conversation_id: str, agent: Agent, services: With, once: Idempotent, body: Nothing | None = None
) -> Queued:
    """The bot goes silent; of two agents who ask, one wins and the other gets 409."""
    return Queued.model_validate(await staff.takeover(services, agent, conversation_id, once=once))


@router.post("/conversations/{conversation_id}/messages")
async def say(conversation_id: str, body: AgentWords, agent: Agent, services: With, once: Idempotent) -> MessageOut:
    """Write to the customer."""
    said = await staff.say(services, agent, conversation_id, body.text, suggestion=body.suggestion, once=once)
    return MessageOut.model_validate(said)


@router.post("/conversations/{conversation_id}/handback")
async def handback(
    conversation_id: str, agent: Agent, services: With, once: Idempotent, body: HandBack | None = None
) -> Queued:
    """The bot answers again and has read the note."""
    note = body.note if body else None
    return Queued.model_validate(await staff.handback(services, agent, conversation_id, note=note, once=once))


@router.get("/turns/{turn_id}/trace")
async def trace(turn_id: str, agent: Agent, services: With) -> TraceOut:
    """From the click to the engine."""
    return TraceOut.model_validate(await staff.turn_trace(services, agent, turn_id))


@router.get("/turns/{turn_id}/explanation")
async def explanation(turn_id: str, agent: Agent, services: With) -> Explanation:
    """The trace in words: where the time went, and what it would have cost elsewhere."""
    return Explanation(sentences=await staff.turn_explained(services, agent, turn_id))
