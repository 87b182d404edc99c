import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from prompts import Fill, InvalidReply, Pack, Slot, compact, load_pack, reply_schema
from prompts.schema import HEAD, TAIL, templates_in
from tests.prompts.conftest import DEMO
from tests.prompts.engine_text import reply
from tests.schemas import slots_of

PACK = load_pack(DEMO)
VALIDATOR = Draft202012Validator(reply_schema(PACK))


def test_the_schema_is_lawful_and_has_every_template_offered(demo: Pack) -> None:
    schema = reply_schema(demo)
    Draft202012Validator.check_schema(schema)
    named = [name for branch in schema["anyOf"] for name in templates_in(branch)]
    assert sorted(named) == sorted(template.id for template in demo.offered)
    assert "unavailable" not in named
    assert "order_not_found" not in named


def test_templates_that_differ_in_action_or_slots_have_branches_of_their_own(demo: Pack) -> None:
    branches = reply_schema(demo)["anyOf"]
    assert len(branches) < len(demo.offered) / 2
    for branch in branches:
        templates = [demo.templates[name] for name in templates_in(branch)]
        assert {branch["properties"]["action"]["const"]} == {template.action for template in templates}
        slots = branch["properties"]["slots"]["properties"]
        for template in templates:
            assert list(slots) == [slot.name for slot in template.asked]
            assert [None in _values(each) for each in slots.values()] == [slot.optional for slot in template.asked]


def _values(slot: dict[str, Any]) -> list[object]:
    """What a slot's schema lists; null stands for its type."""
    return slot.get("enum") or [None for name in slot["type"] if name == "null"]


def test_properties_come_in_the_order_in_which_the_engine_writes_them(demo: Pack) -> None:
    for branch in reply_schema(demo)["anyOf"]:
        assert tuple(branch["properties"]) == tuple(branch["required"]) == HEAD + TAIL
        assert branch["additionalProperties"] is False


def test_a_pack_and_what_is_recalled_of_it_make_one_schema_once(demo: Pack) -> None:
    assert reply_schema(load_pack(DEMO)) is reply_schema(demo)
    assert reply_schema(demo, only={"thanks", "goodbye"}) is reply_schema(demo, only={"goodbye", "thanks"})
    assert reply_schema(demo, candidates=order_ids(demo, "1")) is reply_schema(demo, candidates=order_ids(demo, "1"))
    other = demo.model_copy(update={"templates": {"thanks": demo.templates["thanks"]}})
    assert [templates_in(branch) for branch in reply_schema(other)["anyOf"]] == [["thanks"]]


def test_no_length_is_in_the_schema(demo: Pack) -> None:
    assert "Length" not in json.dumps(reply_schema(demo))


def test_only_restricts_the_templates(demo: Pack) -> None:
    schema = reply_schema(demo, only={"thanks", "unavailable"})
    assert [templates_in(branch) for branch in schema["anyOf"]] == [["thanks"]]
    with pytest.raises(ValueError, match="No template"):
        reply_schema(demo, only={"unavailable"})


def order_ids(demo: Pack, *values: str) -> dict[Slot, list[str]]:
    """Candidates for every slot that holds an order's number."""
    return {slot: list(values) for each in demo.offered for slot in each.asked if slot.name == "order_id"}


def test_candidates_narrow_copied_slots(demo: Pack) -> None:
    schema = reply_schema(demo, candidates=order_ids(demo, "10234"))
    slots = slots_of(schema)
    assert slots["cancel_order"]["order_id"] == ["10234", None]
    assert slots["order_details"]["order_id"] == ["10234"]
    assert slots["review"]["product"] is None
    written = [json.loads(reply("cancel_order", {"order_id": number})) for number in ("10234", "10235")]
    assert [Draft202012Validator(schema).is_valid(each) for each in written] == [True, False]


def test_what_a_slot_may_copy_is_listed_once(demo: Pack) -> None:
    assert compact(reply_schema(demo, candidates=order_ids(demo, "10234"))).count("10234") == 2, "null or not"


def test_without_candidates_a_slot_is_null_or_its_template_is_left_out(demo: Pack) -> None:
    schema = reply_schema(demo, candidates=order_ids(demo))
    assert slots_of(schema)["cancel_order"]["order_id"] == [None]
    assert "order_details" not in slots_of(schema)


JSON_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("10234") | st.just({})
SLOTS = st.dictionaries(st.sampled_from(["order_id", "amount", "city", "x"]), JSON_VALUES, max_size=3)


@given(
    action=st.sampled_from(["reply", "clarify", "handoff", "x"]),
    template=st.sampled_from(["thanks", "cancel_order", "get_refund", "clarify", "handoff", "order_not_found", "x"]),
    slots=SLOTS,
    tail=st.sampled_from([TAIL, TAIL[:2]]),
    sentiment=st.sampled_from(["neutral", "bored"]),
)
def test_what_the_fill_accepts_the_schema_accepts(
    action: str, template: str, slots: dict[str, object], tail: tuple[str, ...], sentiment: str
) -> None:
    values = {"demand": "x", "sentiment": sentiment, "action_reason": "answered"}
    reply = {"action": action, "template": template, "slots": slots} | {name: values[name] for name in tail}
    fill = Fill(PACK, "en", ["10234"])
    try:
        fill.feed(compact(reply))
    except InvalidReply:
        assert fill.reply is None
        return
    assert VALIDATOR.is_valid(reply) == (fill.annotation is not None)
    assert VALIDATOR.is_valid({**reply, "demand": "x", "sentiment": "neutral", "action_reason": "answered"})
