"""A turn's schema admits what the customer wrote, and stays the same as long as nothing new is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import Fill, InvalidReply, Kind, Pack, Slot, SlotType, compact, load_pack, reply_schema, turn_schema
from prompts.narrowing import MOST_RUNS, MOST_VALUES
from tests.prompts.conftest import DEMO
from tests.schemas import slots_of

PACK = load_pack(DEMO)


def test_a_number_is_held_to_those_that_the_customer_wrote(demo: Pack) -> None:
    slots = slots_of(turn_schema(demo, ["order 10234 please", "no, 10235. Write to jo@example.com"]))
    assert slots["cancel_order"]["order_id"] == ["10234", "10235", None]
    assert slots["order_details"]["order_id"] == ["10234", "10235"]
    assert slots["recover_password"]["email"] == ["jo@example.com", None]
    assert slots["get_refund"]["amount"] == ["10234", "10235", None]


def test_an_open_kind_is_held_to_the_customers_words(demo: Pack) -> None:
    listed = slots_of(turn_schema(demo, ["The kettle's lid", "no, the *pot's*"]))["review"]["product"]
    assert listed is not None
    assert {"kettle", "kettle's lid", "pot", None} <= set(listed)
    assert listed == slots_of(turn_schema(demo, ["no, the *pot's*", "The kettle's lid"]))["review"]["product"]
    assert not {"lid no", "ot", "*pot"} & set(listed), "neither over messages, nor within words, nor marks around"


def test_a_script_without_blanks_leaves_open_kinds_free_but_in_a_strict_schema(demo: Pack) -> None:
    texts = ["我的台灯坏了, order 10234"]
    free, strict = (slots_of(turn_schema(demo, texts, is_strict=is_strict)) for is_strict in (False, True))
    assert free["review"]["product"] is None
    assert strict["review"]["product"] == [None]
    assert strict["cancel_order"] == free["cancel_order"]


def test_conversations_that_said_nothing_yet_have_one_schema(demo: Pack) -> None:
    constant = turn_schema(demo, ["??"])
    assert turn_schema(demo, ["!!", "..."]) is constant
    assert slots_of(constant)["cancel_order"]["order_id"] == [None]
    assert "order_details" not in slots_of(constant)


def test_a_conversation_keeps_its_schema_until_something_new_is_written(demo: Pack) -> None:
    said = ["cancel 20002 not 10001", "cancel", "not 10001", "20002!"]
    schemas = [compact(turn_schema(demo, said[:turns])) for turns in range(1, 5)]
    assert len(set(schemas)) == 1
    assert turn_schema(demo, said) is turn_schema(demo, said[:1])
    assert compact(turn_schema(demo, [*said, "and 30003"])) not in schemas


def test_recalled_templates_are_left_out(demo: Pack) -> None:
    assert set(slots_of(turn_schema(demo, ["10234"], only={"cancel_order", "thanks"}))) == {"cancel_order", "thanks"}


def test_if_no_template_could_be_filled_nothing_is_narrowed(demo: Pack) -> None:
    only = {"order_details"}
    for is_strict in (False, True):
        assert turn_schema(demo, ["hello"], only=only, is_strict=is_strict) is reply_schema(demo, only=only)


def test_a_message_full_of_numbers_makes_no_endless_schema(demo: Pack) -> None:
    texts = [" ".join(map(str, range(1000, 1000 + MOST_VALUES))), "not 777, 1000!"]
    assert slots_of(turn_schema(demo, texts))["cancel_order"]["order_id"] is None
    values = slots_of(turn_schema(demo, texts, is_strict=True))["cancel_order"]["order_id"]
    assert values is not None and len(values) == MOST_VALUES + 1
    assert {"777", "1000"} <= set(values), "the newest"


def test_a_very_long_message_makes_no_endless_schema(demo: Pack) -> None:
    texts = [" ".join(f"word{number}" for number in range(MOST_RUNS)), "the blue lamp"]
    assert slots_of(turn_schema(demo, texts))["review"]["product"] is None
    values = slots_of(turn_schema(demo, texts, is_strict=True))["review"]["product"]
    assert values is not None and len(values) == MOST_RUNS + 1
    assert "blue lamp" in values, "the newest"


def test_slots_of_one_name_have_their_own_values(demo: Pack) -> None:
    thanks, goodbye = demo.templates["thanks"], demo.templates["goodbye"]
    number = Slot(name="reach", type=SlotType.COPIED, kind=Kind.PHONE, optional=True)
    mail = Slot(name="reach", type=SlotType.COPIED, kind=Kind.EMAIL, optional=True)
    templates = {
        "thanks": thanks.model_copy(update={"slots": (number,)}),
        "goodbye": goodbye.model_copy(update={"slots": (mail,)}),
    }
    pack = demo.model_copy(update={"templates": templates})
    slots = slots_of(turn_schema(pack, ["+44 20 7946 0000 or jo@example.com"]))
    assert slots["thanks"]["reach"] == ["+44 20 7946 0000", None]
    assert slots["goodbye"]["reach"] == ["jo@example.com", None]


@given(st.lists(st.text(max_size=40) | st.from_regex(r"[A-Z]{0,2}-?\d{2,6}|\$\d{1,4}", fullmatch=True), max_size=3))
def test_whatever_the_schema_lists_the_check_accepts(texts: list[str]) -> None:
    for template, slots in slots_of(turn_schema(PACK, texts)).items():
        for name, listed in slots.items():
            for value in listed or ():
                filled = {each: value if each == name else None for each in slots}
                fill = Fill(PACK, "en", texts)
                reply = {"action": PACK.templates[template].action, "template": template, "slots": filled}
                try:
                    fill.feed(compact(reply))
                except InvalidReply as error:
                    pytest.fail(f"{json.dumps(value)} in {template}: {error.reason}")
