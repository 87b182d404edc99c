"""Replies that the scripted engine gives in these tests."""

from typing import Any

from prompts import compact
from tests.chat.browser.shop import written
from tests.scripted_engine import Script


def reply(template: str, *, demand: str = "d", sentiment: str = "neutral", **slots: str | None) -> dict[str, Any]:
    head = {"action": "reply", "template": template, "slots": slots}
    return head | {"demand": demand, "sentiment": sentiment, "action_reason": "answered"}


TRACK = reply("track_order", order_id="10234", demand="Wants to know where order 10234 is", sentiment="negative")
LATE = reply("order_late", order_id="10234", date=None)
CANCEL = reply("cancel_order", order_id="10234")
PERIOD = reply("delivery_period", order_id=None)
PAY = reply("check_payment_methods", demand="Asks how to pay")


def suggested(*replies: dict[str, Any], delay_s: float = 0.0) -> list[Script]:
    """What the engine writes when it is asked for suggestions."""
    return [written(each, delay_s=delay_s) for each in replies or (LATE, CANCEL, PERIOD)]


def summed(facts: list[str], open_demands: list[str], promises: list[str]) -> Script:
    return Script([compact({"facts": facts, "open_demands": open_demands, "promises_made": promises})])
