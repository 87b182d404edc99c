"""Turns: one customer message and the reply to it."""

from typing import Annotated

from pydantic import BaseModel, Field

from chat.schemas.request import KEY_PATTERN, RequestBody

ClientId = Annotated[str, Field(pattern=KEY_PATTERN)]


class NewTurn(RequestBody):
    """`text` is measured by the service, whose limit is a setting."""

    text: str
    client_turn_id: ClientId


class TurnAccepted(BaseModel):
    turn_id: str
    seq: int


class TurnNow(BaseModel):
    turn_id: str
    state: str


class Painted(RequestBody):
    """When the page showed a reply's first text, in ms after the turn was accepted; without it, now."""

    turn_id: ClientId
    first_text_ms: Annotated[float | None, Field(ge=0, le=3_600_000)] = None
