"""The conversation's event log as it grows: server-sent events that resume where they were left."""

import re
from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from chat import conversations
from chat.auth import InConversation
from chat.errors import Unprocessable
from chat.presence import ended_with_access
from chat.schemas.page import AfterSeq
from chat.services import Services, services_of
from chat.streams import StreamKind
from chat.wire import event_of, opening
from sessions import Staff

router = APIRouter(tags=["events"])
With = Annotated[Services, Depends(services_of)]


async def resume_after(after: AfterSeq = 0, last_event_id: Annotated[str | None, Header()] = None) -> int:
    """`Last-Event-ID` is the newer word: a client that reconnects repeats the address it began with."""
    if last_event_id is None or last_event_id == "":
        return after
    if not re.fullmatch(r"[0-9]{1,9}", last_event_id):
        raise Unprocessable("Last-Event-ID is not a seq.", field="Last-Event-ID")
    return int(last_event_id)


async def readable(conversation_id: str, services: With, caller: InConversation) -> str:
    """Refusals come before the stream begins: afterwards there is no status left to send."""
    services.streams.refuse_when_closed()
    await conversations.get(services, caller, conversation_id)
    return conversation_id


@router.get("/conversations/{conversation_id}/events", response_class=EventSourceResponse)
async def events(
    conversation_id: Annotated[str, Depends(readable)],
    after: Annotated[int, Depends(resume_after)],
    services: With,
    caller: InConversation,
    request: Request,
) -> AsyncIterator[ServerSentEvent]:
    """Every event after `after` that the caller may see, then each new one once it is committed.

    A stream of the staff ends with the session or the key that opened it.
    """
    yield opening()
    with services.streams.open(StreamKind.CONVERSATION) as end:
        watch = ended_with_access(services, request, end) if isinstance(caller, Staff) else nullcontext()
        async with watch:
            async for event in services.store.feed.tail(caller, conversation_id, after=after, stop=end):
                yield event_of(event, caller)
