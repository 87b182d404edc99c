"""Who reads what of an event's texts."""

import json

import pytest

from chat.wire import event_of
from sessions import Customer, Event, EventKind, Principal, Scope, Staff

SAID = "my card is 4111 1111 1111 1111, mail jane@example.com"
CUSTOMER = Customer(frozenset({"cnv_1"}))
AGENT = Staff("kim", frozenset({Scope.AGENT}), None)


@pytest.mark.parametrize(
    ("reader", "shown"), [(CUSTOMER, SAID), (AGENT, "my card is [card], mail jane@example.com")], ids=["own", "agent"]
)
def test_an_event_shows_its_reader_what_the_reader_may_see(reader: Principal, shown: str) -> None:
    payload = {"turn_id": "trn_1", "message": {"content": SAID, "seq": 1}}
    event = Event(conversation_id="cnv_1", seq=1, kind=EventKind.TURN_STARTED, payload=payload)

    sent = json.loads(event_of(event, reader).raw_data)

    assert sent == {"turn_id": "trn_1", "message": {"content": shown, "seq": 1}}
    assert event.payload == payload
