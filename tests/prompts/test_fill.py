from collections.abc import Mapping

import pytest

from prompts import (
    Action,
    ActionReason,
    Fill,
    FilledReply,
    InvalidReply,
    LookupCall,
    LookupNeeded,
    LookupOutcome,
    Pack,
    ReplyDone,
    Sentiment,
    Shown,
    SlotType,
    Ungrounded,
)  # fmt: skip
from tests.prompts.engine_text import SHIPPED, play, reply

LEAD = "Let me check that for you."


def filled(pack: Pack, text: str, raw: str, **lookup: object) -> FilledReply:
    """The finished reply to one customer message."""
    fill = Fill(pack, "en", [text])
    play(fill, [raw], **lookup)
    assert fill.reply is not None
    return fill.reply


def test_static_text_shows_as_soon_as_the_template_is_known(demo: Pack) -> None:
    fill = Fill(demo, "en", ["thank you"])
    assert fill.feed('{"action":"reply","template":"thanks') == []
    assert fill.feed('"') == [Shown(demo.templates["thanks"].bodies["en"])]
    assert not fill.reply_done
    (done,) = fill.feed(',"slots":{}')
    assert isinstance(done, ReplyDone)
    assert done.reply is fill.reply


def test_text_shows_up_to_the_first_slot_that_has_not_closed(demo: Pack) -> None:
    fill = Fill(demo, "en", ["charged $20 twice on A-1234"])
    fill.feed('{"action":"reply","template":"charged_twice"')
    assert fill.visible == "That must be worrying, I'm sorry."
    fill.feed(',"slots":{"order_id":"A-12')
    assert fill.visible == "That must be worrying, I'm sorry."
    fill.feed('34"')
    assert fill.visible.endswith("For order A-1234, please check whether one of the charges")
    fill.feed(',"amount":null}')
    assert fill.reply_done
    assert "charges is only marked as pending" in fill.visible


def test_a_template_with_a_lookup_shows_only_its_lead_until_the_answer(demo: Pack) -> None:
    fill = Fill(demo, "en", ["where is order 10234?"])
    assert fill.feed('{"action":"reply","template":"track_order"') == [Shown(LEAD)]
    assert fill.feed(',"slots":{"order_id":"10234"') == [
        LookupNeeded(LookupCall("order_status", {"order_id": "10234"}))
    ]
    assert fill.feed('},"demand":"wh') == []
    assert not fill.reply_done
    shown, done = fill.provide(LookupOutcome.FOUND, SHIPPED)
    assert isinstance(shown, Shown)
    assert (
        shown.text
        == " Order 10234 (Linen curtain) is on its way with Parcel Post. It should reach you by 24 November 2026."
    )
    assert isinstance(done, ReplyDone)


def test_a_lookup_may_answer_before_the_slots_have_closed(demo: Pack) -> None:
    fill = Fill(demo, "en", ["10234 is late, it was due on Monday"])
    fill.feed('{"action":"reply","template":"order_late","slots":{"order_id":"10234"')
    fill.provide(LookupOutcome.FOUND, SHIPPED)
    assert "still on its way" in fill.visible
    assert not fill.reply_done
    (done,) = fill.feed(',"date":"Monday"}')
    assert isinstance(done, ReplyDone)


def test_a_null_argument_asks_for_it_and_looks_nothing_up(demo: Pack) -> None:
    done = filled(demo, "where is my order?", reply("track_order", {"order_id": None}))
    assert done.text.startswith(f"{LEAD} I need the order number for that")
    assert done.lookup is None
    assert done.slots["order_id"].value is None


@pytest.mark.parametrize(
    ("outcome", "answer", "told", "speaker"),
    [
        (LookupOutcome.NOT_FOUND, None, LookupOutcome.NOT_FOUND, "order_not_found"),
        (LookupOutcome.FAILED, None, LookupOutcome.FAILED, "order_unknown_service"),
        (LookupOutcome.FOUND, None, LookupOutcome.FAILED, "order_unknown_service"),
        (LookupOutcome.FOUND, SHIPPED | {"status": "lost in space"}, LookupOutcome.FAILED, "order_unknown_service"),
        (LookupOutcome.FOUND, SHIPPED | {"product": 7}, LookupOutcome.FAILED, "order_unknown_service"),
        (LookupOutcome.FOUND, SHIPPED | {"eta": "soon"}, LookupOutcome.FAILED, "order_unknown_service"),
    ],
)
def test_a_lookup_without_a_lawful_answer_lets_the_fall_back_speak(
    demo: Pack, outcome: LookupOutcome, answer: Mapping[str, object] | None, told: LookupOutcome, speaker: str
) -> None:
    raw = reply("track_order", {"order_id": "10234"})
    done = filled(demo, "where is 10234", raw, outcome=outcome, answer=answer)
    assert (done.template, done.chosen) == (speaker, "track_order")
    assert done.lookup is not None
    assert done.lookup.outcome is told
    assert done.text.startswith(LEAD)
    assert "10234" in done.text
    assert done.quick_replies == demo.templates[speaker].quick_replies["en"]


def test_facts_are_data_and_never_a_template(demo: Pack) -> None:
    hostile = SHIPPED | {"product": "{{ brand }}{% if 1 %}\u202e<b>", "carrier": None}
    done = filled(demo, "where is 10234", reply("track_order", {"order_id": "10234"}), answer=hostile)
    assert "({{ brand }}{% if 1 %}<b>) is on its way. It" in done.text


def test_copied_values_are_data_and_never_a_template(demo: Pack) -> None:
    product = "{{ 7*7 }} {0} %s <img>"
    done = filled(demo, f"I'd like to buy {product}", reply("place_order", {"product": product}))
    assert f'"{product}"' in done.text


def test_the_reply_names_every_slot_and_its_source(demo: Pack) -> None:
    done = filled(demo, "where is #10234", reply("track_order", {"order_id": "#10234"}))
    assert done.action is Action.REPLY
    assert (done.slots["order_id"].value, done.slots["order_id"].source) == ("10234", SlotType.COPIED)
    assert (done.slots["status"].value, done.slots["status"].source) == ("shipped", SlotType.FACT)
    assert done.slots["eta"].value == "2026-11-24"


def test_an_earlier_message_grounds_a_copy(demo: Pack) -> None:
    fill = Fill(demo, "en", ["I ordered 55123-B", "please cancel it"])
    play(fill, [reply("cancel_order", {"order_id": "55123-B"})])
    assert "55123-B" in fill.visible


def test_a_made_up_value_ends_the_attempt_before_it_shows(demo: Pack) -> None:
    fill = Fill(demo, "en", ["cancel my order 10234"])
    with pytest.raises(Ungrounded) as caught:
        fill.feed(reply("cancel_order", {"order_id": "10235"}))
    assert caught.value.slot == "order_id"
    assert fill.visible == ""


INVALID = [
    pytest.param("Sure! I can help.", id="free text"),
    pytest.param("```json\n" + reply("thanks"), id="fenced"),
    pytest.param('"reply"', id="a string"),
    pytest.param("[]", id="an array"),
    pytest.param("}", id="closes first"),
    pytest.param(reply("thanks")[:45], id="cut in the slots"),
    pytest.param('{"action":"reply"}', id="closed before the slots"),
    pytest.param(reply("refund_everything"), id="unknown template"),
    pytest.param(reply("unavailable"), id="hidden template"),
    pytest.param(reply("order_not_found", {"order_id": "10234"}), id="fall-back chosen by the engine"),
    pytest.param(reply("thanks", action="handoff"), id="wrong action"),
    pytest.param(reply("thanks", action="shout"), id="unknown action"),
    pytest.param(reply("thanks", {"order_id": None}), id="extra slot"),
    pytest.param(reply("cancel_order"), id="missing slot"),
    pytest.param(reply("order_details", {"order_id": None}), id="null where it may not be"),
    pytest.param(reply("cancel_order", {"order_id": 10234}), id="number for text"),
    pytest.param(reply("cancel_order", {"order_id": True}), id="true for text"),
    pytest.param(reply("cancel_order", {"order_id": ""}), id="empty"),
    pytest.param(reply("cancel_order", {"order_id": ["10234"]}), id="array for text"),
    pytest.param(reply("cancel_order", {"order_id": {"x": "10234"}}), id="object for text"),
    pytest.param('{"action":"reply","template":"thanks","slots":null,', id="null slots"),
    pytest.param('{"action":"reply","template":"thanks","slots":[],', id="array slots"),
    pytest.param('{"action":"reply","template":["thanks"],"slots":{},', id="array template"),
    pytest.param('{"template":"thanks","action":"reply","slots":{},', id="wrong order"),
    pytest.param('{"action":"reply","action":"reply","template":"thanks","slots":{},', id="member twice"),
    pytest.param(
        '{"action":"reply","template":"thanks","slots":{},'.replace("thanks", "\\ud800"), id="half a surrogate"
    ),
    pytest.param('{"action":"reply","x":1,"template":"thanks","slots":{},', id="extra member"),
    pytest.param(
        '{"action":"reply","template":"cancel_order","slots":{"order_id":"10234","order_id":null},', id="slot twice"
    ),
    pytest.param("", id="nothing"),
    pytest.param("  ", id="blanks"),
]


@pytest.mark.parametrize("raw", INVALID)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_breaks_the_schema_is_refused_however_it_is_cut(demo: Pack, raw: str, size: int) -> None:
    fill = Fill(demo, "en", ["cancel 10234"])
    with pytest.raises(InvalidReply):
        play(fill, [raw[at : at + size] for at in range(0, len(raw), size)])
    assert not fill.reply_done


def test_only_some_templates_may_be_allowed(demo: Pack) -> None:
    fill = Fill(demo, "en", ["thanks"], only={"greeting"})
    with pytest.raises(InvalidReply):
        fill.feed(reply("thanks"))


def test_a_fault_after_the_slots_does_not_harm_the_reply(demo: Pack) -> None:
    fill = Fill(demo, "en", ["thanks"])
    play(fill, ['{"action":"reply","template":"thanks","slots":{},"demand":"x', '","demand":]}} nonsense'])
    assert fill.reply_done
    assert fill.annotation is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(reply("thanks")[:-1], id="cut"),
        pytest.param(reply("thanks") + "!", id="text after it"),
        pytest.param(reply("thanks") + reply("thanks"), id="twice"),
        pytest.param(reply("thanks", sentiment="bored"), id="unknown sentiment"),
        pytest.param(reply("thanks", action_reason="whim"), id="unknown reason"),
        pytest.param(reply("thanks", demand=None), id="no demand"),
        pytest.param(reply("thanks", notes="x"), id="extra member"),
        pytest.param(reply("thanks", demand="x").replace('"x"', '"\\udfff"'), id="half a surrogate"),
    ],
)
def test_an_unlawful_annotation_is_null(demo: Pack, raw: str) -> None:
    fill = Fill(demo, "en", ["thanks"])
    play(fill, [raw])
    assert fill.reply_done
    assert fill.annotation is None


def test_a_whole_annotation_is_read(demo: Pack) -> None:
    raw = reply("handoff", action="handoff", demand="wants\u202e  a manager", sentiment="angry", action_reason="anger")
    fill = Fill(demo, "en", ["MANAGER NOW"])
    play(fill, [raw + "\n"])
    assert fill.annotation is not None
    assert fill.annotation.demand == "wants a manager"
    assert (fill.annotation.sentiment, fill.annotation.action_reason) == (Sentiment.ANGRY, ActionReason.ANGER)
    assert fill.replay == raw + "\n"


def test_history_replays_the_engines_own_text_closed_after_the_slots_if_the_rest_is_cut(demo: Pack) -> None:
    raw = reply("thanks")
    whole, half = Fill(demo, "en", ["thanks"]), Fill(demo, "en", ["thanks"])
    play(whole, [raw])
    play(half, [raw[:60]])
    assert whole.head_closed
    assert whole.replay == raw
    assert half.head_closed
    assert half.replay == '{"action":"reply","template":"thanks","slots":{}}'


def test_blanks_between_tokens_are_lawful(demo: Pack) -> None:
    fill = Fill(demo, "en", ["cancel 10234"])
    play(
        fill, ['\n{ "action": "reply", "template": "cancel_order",\n "slots": { "order_id": "10234" }, "demand": "x" ']
    )
    assert fill.reply_done


def test_providing_what_nobody_asked_for_is_a_fault_of_the_caller(demo: Pack) -> None:
    fill = Fill(demo, "en", ["hello"])
    with pytest.raises(ValueError, match="No lookup"):
        fill.provide(LookupOutcome.FOUND, SHIPPED)
