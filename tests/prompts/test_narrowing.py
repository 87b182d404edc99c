"""A turn's schema admits what the customer wrote, and stays the same as long as nothing new is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import Fill, InvalidReply, Kind, Pack, Slot, SlotType, compact, load_pack, reply_schema, turn_schema
from prompts.narrowing import MOST_VALUES
from prompts.schema import Schema, templates_in
from tests.prompts.conftest import DEMO

PACK = load_pack(DEMO)


def slots_of(schema: Schema) -> dict[str, dict[str, object]]:
    """The schema of each template's slots."""
    return {
        name: branch["properties"]["slots"]["properties"] for branch in schema["anyOf"] for name in templates_in(branch)
    }


def test_a_number_is_held_to_those_that_the_customer_wrote(demo: Pack) -> None:
    slots = slots_of(turn_schema(demo, ["order 10234 please", "no, 10235. Write to jo@example.com"]))
    assert slots["cancel_order"]["order_id"] == {"enum": ["10234", "10235", None]}
    assert slots["order_details"]["order_id"] == {"enum": ["10234", "10235"]}
    assert slots["recover_password"]["email"] == {"enum": ["jo@example.com", None]}
    assert slots["get_refund"]["amount"] == {"enum": ["10234", "10235", None]}


def test_open_kinds_are_free_but_in_a_strict_schema(demo: Pack) -> None:
    texts = ["review of the linen curtain, order 10234"]
    free, strict = (slots_of(turn_schema(demo, texts, is_strict=is_strict)) for is_strict in (False, True))
    assert free["review"]["product"] == {"type": ["string", "null"]}
    assert strict["review"]["product"] == {"enum": [None]}
    assert strict["cancel_order"] == free["cancel_order"]


def test_conversations_without_a_value_have_one_schema(demo: Pack) -> None:
    constant = turn_schema(demo, ["Hello"])
    assert turn_schema(demo, ["where is my parcel?", "the blue one, in Munich"]) is constant
    assert slots_of(constant)["cancel_order"]["order_id"] == {"enum": [None]}
    assert "order_details" not in slots_of(constant)


def test_a_conversation_keeps_its_schema_until_another_value_is_written(demo: Pack) -> None:
    said = ["cancel 20002, not 10001", "please", "I mean 10001 and 20002", "20002!"]
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
    assert slots_of(turn_schema(demo, texts))["cancel_order"]["order_id"] == {"type": ["string", "null"]}
    values = slots_of(turn_schema(demo, texts, is_strict=True))["cancel_order"]["order_id"]["enum"]
    assert len(values) == MOST_VALUES + 1
    assert {"777", "1000"} <= set(values), "the newest"


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
    assert slots["thanks"]["reach"] == {"enum": ["+44 20 7946 0000", None]}
    assert slots["goodbye"]["reach"] == {"enum": ["jo@example.com", None]}


@given(st.lists(st.text(max_size=40) | st.from_regex(r"[A-Z]{0,2}-?\d{2,6}|\$\d{1,4}", fullmatch=True), max_size=3))
def test_whatever_the_schema_lists_the_check_accepts(texts: list[str]) -> None:
    listed = slots_of(turn_schema(PACK, texts)) | {"strict": {}}
    for template, slots in listed.items():
        for name, schema in slots.items():
            for value in schema.get("enum", ()):
                filled = {each: value if each == name else None for each in slots}
                fill = Fill(PACK, "en", texts)
                reply = {"action": PACK.templates[template].action, "template": template, "slots": filled}
                try:
                    fill.feed(compact(reply))
                except InvalidReply as error:
                    pytest.fail(f"{json.dumps(value)} in {template}: {error.reason}")
