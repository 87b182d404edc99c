"""The view as it is folded from events."""

from datetime import UTC, datetime
from typing import Any

from chat.browser.view import Transcript
from sessions import Event, EventKind

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def message(id_: str, role: str, text: str, **more: Any) -> dict[str, Any]:
    shape = {"id": id_, "seq": 1, "turn_id": None, "role": role, "content": text, "quick_replies": []}
    return shape | {"created_at": AT.isoformat()} | more


def fold(*events: tuple[EventKind, dict[str, Any]], votes: dict[str, str] | None = None) -> dict[str, Any]:
    seen = Transcript("cnv_1", votes or {})
    for seq, (kind, payload) in enumerate(events, 1):
        seen.apply(Event(conversation_id="cnv_1", seq=seq, kind=kind, payload=payload, created_at=AT))
    return seen.view()


def started(turn: str) -> tuple[EventKind, dict[str, Any]]:
    said = message(f"msg_{turn}", "customer", f"asked in {turn}", turn_id=turn)
    return EventKind.TURN_STARTED, {"turn_id": turn, "client_turn_id": f"client_{turn}", "message": said}


def delta(turn: str, text: str, attempt: int = 1) -> tuple[EventKind, dict[str, Any]]:
    return EventKind.REPLY_DELTA, {"turn_id": turn, "attempt": attempt, "text": text}


def done(turn: str, text: str) -> tuple[EventKind, dict[str, Any]]:
    said = message(f"msg_r{turn}", "assistant", text, turn_id=turn, quick_replies=["Yes"])
    return EventKind.REPLY_DONE, {"turn_id": turn, "message": said}


def keys(view: dict[str, Any]) -> list[str]:
    return [line["key"] for line in view["lines"]]


def test_nothing_happened_yet() -> None:
    view = fold()
    assert (view["state"], view["busy"], view["live"], view["lines"]) == ("bot", False, None, [])


def test_a_reply_grows_and_keeps_its_key_when_it_is_done() -> None:
    growing = fold(started("t1"), delta("t1", "Your "), delta("t1", "order"))
    assert growing["live"] == {"turn": "t1", "text": "Your order"} and growing["busy"]
    whole = fold(started("t1"), delta("t1", "Your "), done("t1", "Your order is here."))
    assert whole["live"] is None and not whole["busy"]
    assert keys(whole) == ["client_t1", "reply:t1"]
    assert whole["lines"][1]["quick_replies"] == ["Yes"]


def test_a_reset_takes_back_what_was_shown() -> None:
    view = fold(started("t1"), delta("t1", "Wrong"), (EventKind.REPLY_RESET, {"turn_id": "t1", "attempt": 2}))
    assert view["live"] == {"turn": "t1", "text": ""}
    view = fold(
        started("t1"), delta("t1", "Wrong"), (EventKind.REPLY_RESET, {"turn_id": "t1"}), delta("t1", "Right", 2)
    )
    assert view["live"]["text"] == "Right"


def test_a_second_message_waits_for_the_first_reply() -> None:
    view = fold(started("t1"), started("t2"), delta("t1", "First"))
    assert view["live"] == {"turn": "t1", "text": "First"}
    view = fold(started("t1"), started("t2"), delta("t1", "First"), done("t1", "First."))
    assert view["live"] == {"turn": "t2", "text": ""}
    assert keys(view) == ["client_t1", "client_t2", "reply:t1"]


def test_a_stopped_reply_can_be_tried_again_until_it_is() -> None:
    stopped = (started("t1"), delta("t1", "Yo"), (EventKind.TURN_STOPPED, {"turn_id": "t1"}))
    view = fold(*stopped)
    assert keys(view) == ["client_t1", "stopped:t1"] and view["retry"] == "t1" and view["live"] is None
    view = fold(*stopped, started("t1"))
    assert keys(view) == ["client_t1"] and view["retry"] is None and view["busy"]


def test_what_an_agent_stopped_is_no_stop_of_the_customers() -> None:
    view = fold(started("t1"), (EventKind.TURN_STOPPED, {"turn_id": "t1", "reason": "agent"}))
    assert keys(view) == ["client_t1"] and view["retry"] is None


def test_a_failed_turn_can_be_tried_again_while_the_bot_answers() -> None:
    notice = (EventKind.MESSAGE, {"message": message("msg_n", "system", "Sorry.")})
    failed = (started("t1"), (EventKind.TURN_FAILED, {"turn_id": "t1", "code": "no_replica"}), notice)
    assert fold(*failed)["retry"] == "t1"
    assert fold(*failed, (EventKind.HANDOFF, {"state": "agent", "agent": "Anna"}))["retry"] is None
    assert fold(*failed, started("t2"))["retry"] is None


def test_an_agents_lines_bear_the_name_of_who_was_there() -> None:
    view = fold(
        (EventKind.HANDOFF, {"state": "agent", "agent": "Anna"}),
        (EventKind.TYPING, {"role": "agent"}),
        (EventKind.MESSAGE, {"message": message("msg_a", "agent", "Hello")}),
        (EventKind.HANDOFF, {"state": "bot"}),
    )
    assert view["lines"][0]["by"] == "Anna" and view["agent"] is None and view["state"] == "bot"
    assert view["typing_at"] is None
    assert fold((EventKind.TYPING, {"role": "agent"}))["typing_at"] == AT.isoformat()
    assert fold((EventKind.TYPING, {"role": "customer"}))["typing_at"] is None


def test_votes_come_with_their_messages() -> None:
    view = fold(started("t1"), done("t1", "Yes."), votes={"msg_rt1": "up"})
    assert [line["vote"] for line in view["lines"]] == [None, "up"]


def test_views_share_nothing() -> None:
    seen = Transcript("cnv_1", {})
    kind, payload = started("t1")
    seen.apply(Event(conversation_id="cnv_1", seq=1, kind=kind, payload=payload, created_at=AT))
    first = seen.view()
    first["lines"][0]["text"] = "changed"
    first["lines"].clear()
    assert seen.view()["lines"][0]["text"] == "asked in t1"


def test_closing_ends_everything_but_reading() -> None:
    view = fold(started("t1"), done("t1", "Yes."), (EventKind.CONVERSATION_CLOSED, {}))
    assert view["state"] == "closed" and view["retry"] is None and len(view["lines"]) == 2
