"""What the demo shop promises beyond the rules that every pack obeys."""

import re

import pytest

from prompts import Action, Kind, Pack, SlotType
from prompts.rehearsal import combinations
from prompts.render import render

BITEXT = [
    "cancel_order",
    "change_order",
    "change_shipping_address",
    "check_cancellation_fee",
    "check_invoice",
    "check_payment_methods",
    "check_refund_policy",
    "complaint",
    "contact_customer_service",
    "contact_human_agent",
    "create_account",
    "delete_account",
    "delivery_options",
    "delivery_period",
    "edit_account",
    "get_invoice",
    "get_refund",
    "newsletter_subscription",
    "payment_issue",
    "place_order",
    "recover_password",
    "registration_problems",
    "review",
    "set_up_shipping_address",
    "switch_account",
    "track_order",
    "track_refund",
]
OURS = [
    "greeting",
    "thanks",
    "clarify",
    "out_of_scope",
    "handoff",
    "order_late",
    "item_damaged",
    "item_wrong",
    "item_missing",
    "refund_late",
]
SLOT_NAMES = {"order_id", "email", "amount", "product", "date", "name", "account_type", "city"}


def texts(pack: Pack, locale: str) -> list[str]:
    """Every text that a customer can read in a locale."""
    return [
        template.leads.get(locale, "") + render(template.bodies[locale], values)
        for template in pack.templates.values()
        for values in combinations(pack, template, locale)
    ]


def test_the_agreed_templates_are_there(demo: Pack) -> None:
    offered = {template.id for template in demo.offered}
    assert offered >= {*BITEXT, *OURS, "charged_twice", "order_cancelled_by_shop"}
    assert "order_not_found" in demo.templates


def test_slots_are_copies_with_the_agreed_names(demo: Pack) -> None:
    slots = [slot for template in demo.templates.values() for slot in template.slots]
    assert {slot.name for slot in slots} <= SLOT_NAMES
    assert {slot.type for slot in slots} == {SlotType.COPIED}
    assert {slot.kind for slot in slots if slot.name == "order_id"} == {Kind.ORDER_ID}


@pytest.mark.parametrize(
    ("action", "ids"),
    [
        (Action.CLARIFY, {"clarify", "other_language", "out_of_scope"}),
        (Action.HANDOFF, {"contact_human_agent", "handoff"}),
    ],
)
def test_what_clarifies_and_what_hands_off(demo: Pack, action: Action, ids: set[str]) -> None:
    assert {template.id for template in demo.offered if template.action is action} == ids


def test_english_texts_are_short(demo: Pack) -> None:
    lengths = [len(text.split()) for text in texts(demo, "en")]
    assert max(lengths) <= 65


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_texts_are_clean(demo: Pack, locale: str) -> None:
    for text in texts(demo, locale):
        assert not re.search(r"  |\n\n\n| [,.!?;:]|[{}]|None|True|False", text), text
        assert text[-1] in '.!?。！？"', text


def test_chinese_texts_are_chinese(demo: Pack) -> None:
    for text in texts(demo, "zh"):
        assert re.search(r"[\u4e00-\u9fff]", text)
        assert not re.search(r"[\u4e00-\u9fff][,.!?;:]|[a-z]{3,} (the|your|order)\b", text), text


def test_every_order_status_is_told(demo: Pack) -> None:
    statuses = demo.lookups["order_status"].facts["status"].choices
    for template in demo.offered:
        if template.lookup:
            told = {
                v["status"]: render(template.bodies["en"], v)
                for v in combinations(demo, template, "en")
                if "status" in v
            }
            assert set(told) == set(statuses)


def test_a_human_can_be_asked_for_wherever_the_bot_may_be_stuck(demo: Pack) -> None:
    stuck = [
        "order_not_found",
        "order_unknown_service",
        "unavailable",
        "failed",
        "clarify",
        "out_of_scope",
        "complaint",
    ]
    for name in stuck:
        assert "Talk to a human" in demo.templates[name].quick_replies["en"], name
