"""Turns: one customer message and the reply to it."""

from typing import Annotated

from pydantic import BaseModel, Field

from chat.schemas.request import RequestBody

ClientId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]


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
    """What the page saw, in ms after the customer's click."""

    turn_id: Annotated[str, Field(max_length=100)]
    first_text_ms: Annotated[float, Field(ge=0, le=3_600_000)]
    done_ms: Annotated[float | None, Field(ge=0, le=3_600_000)] = None
