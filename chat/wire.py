"""Events and rows as bytes on the wire: the JSON shapes that every surface reads."""

import json
from typing import Any

from fastapi.sse import ServerSentEvent

from chat.masking import payload_for
from chat.schemas.queue import Queued
from sessions import Event, Principal

RETRY_MS = 2000


def opening() -> ServerSentEvent:
    """The first lines of every stream: how soon to come back after a break."""
    return ServerSentEvent(retry=RETRY_MS)


def event_of(event: Event, reader: Principal) -> ServerSentEvent:
    """`id` is the seq, by which a client resumes; `event` the kind; `data` the payload as its reader may see it."""
    payload = compact(payload_for(reader, event.payload))
    return ServerSentEvent(id=str(event.seq), event=event.kind, raw_data=payload)


def queued_event(conversation_id: str, queued: Queued | None) -> ServerSentEvent:
    """A conversation as the queue lists it now, or that it is gone."""
    if queued is None:
        return ServerSentEvent(event="conversation.deleted", raw_data=compact({"id": conversation_id}))
    return ServerSentEvent(event="conversation", raw_data=queued.model_dump_json())


def compact(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
