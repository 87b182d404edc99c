"""What the starter model is trained on: lawful answers, open values, no test item, the prompt that is served."""

from pathlib import Path
from random import Random

import pytest

from backend.training import trades
from backend.training.catalogues import renamed_shop, shop
from backend.training.corpora import key, labelled, without_near_duplicates
from backend.training.evaluation.cases import HELD_PACK
from backend.training.evaluation.exam import parsed
from backend.training.grammar import Piece, Utterance, Values, choose, expand
from backend.training.noise import disturb
from backend.training.tables import table
from backend.training.targets import demand, reason, sentiment
from backend.training.values import MAKERS, _masked
from backend.training.weak import guess
from prompts import ActionReason, Sentiment, grounded, load_pack, system_prompt
from prompts.slots import candidates

ROOT = Path(__file__).parents[2]
INTENTS = sorted(set(table("shop")) - {"handoff_anger", "handoff_legal", "handoff_threat"})


def test_every_template_of_the_shop_has_phrases_a_demand_and_other_names() -> None:
    spoken = {*INTENTS, "order_details", "other_language", "handoff"}
    assert spoken == set(shop().slots)
    assert set(table("catalogue")) == set(shop().slots)
    assert set(shop().slots) - {"handoff"} <= set(table("demands"))


def test_the_shops_catalogue_is_the_prompt_that_is_served() -> None:
    assert system_prompt(shop().pack) == system_prompt(load_pack(ROOT / "prompts" / "packs" / "demo-shop"))


@pytest.mark.parametrize("intent", INTENTS)
def test_values_are_where_the_pieces_say(intent: str) -> None:
    for seed in range(40):
        rng = Random(seed)
        said = disturb(Utterance(expand(rng.choice(table("shop")[intent]), Values(rng)), intent), rng)
        assert said.text.strip()
        assert not set("{}|\0\1") & set(said.text)
        for slot in shop().template(intent).asked:
            value = said.values.get(slot.name)
            assert value is None or grounded(value, slot, [said.text])


def test_choices_nest_and_keep_brackets_that_are_none() -> None:
    assert choose("a (b|b) (c (d|d)|c d) ({x})", Random(1)) == "a b c d ({x})"


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_values_are_open(name: str) -> None:
    assert len({MAKERS[name](Random(seed)) for seed in range(300)}) > 120


def test_a_number_that_the_customer_hides_is_offered_whole() -> None:
    slot = next(slot for slot in shop().template("track_order").asked if slot.name == "order_id")
    for seed in range(200):
        number = _masked(Random(seed))
        assert number in (candidates(slot, [f"Where is order {number}?"]) or []), number


def test_a_plurals_s_belongs_to_the_product() -> None:
    said = Utterance(expand("do you sell {product}s?", Values(Random(1), {"product": "lamp"})), "place_order")
    assert said.values["product"] == "lamps"
    assert said.text == "do you sell lamps?"


def test_near_duplicates_of_a_test_item_leave_the_training_part() -> None:
    def of(text: str) -> Utterance:
        return Utterance([Piece(text)], "x")

    held = [of("How can I cancel my order?")]
    train = [
        of("how can i cancel my order"),
        of("how can i cancle my order 12"),
        of("how can i canel my order!"),
        of("where is it"),
    ]
    assert [said.text for said in without_near_duplicates(train, held)] == ["where is it"]


def test_near_duplicates_ignore_values() -> None:
    first, second = (Utterance([Piece("cancel "), Piece(number, "order_id")], "x") for number in ("12", "99887766"))
    assert key(first) == key(second)


def test_hand_labels_are_templates_and_the_parts_do_not_meet() -> None:
    test, train = labelled("cucom_test"), labelled("cucom_train")
    assert len(test) >= 500
    assert not {row["id"] for row in test} & {row["id"] for row in train}
    assert {label for row in test + train for label in (row["template"], *row.get("also", []))} <= set(shop().slots)


def test_rules_for_the_rest_agree_with_the_hand_in_14_of_15() -> None:
    guessed = [(guess(str(row["text"])), row) for row in labelled("cucom_train")]
    right = [label in (row["template"], *row.get("also", [])) for label, row in guessed if label]
    assert len(right) > 500
    assert sum(right) / len(right) > 14 / 15


def test_a_renamed_catalogue_still_knows_what_every_intent_means() -> None:
    for seed in range(20):
        made = renamed_shop(Random(seed), [("pay_bill", "wants to settle a bill")])
        assert set(made.ids.values()) == set(made.pack.templates)
        assert all(f"- {key}(" in system_prompt(made.pack) for key in made.pack.templates)


@pytest.mark.parametrize(
    ("intent", "slots", "line"),
    [
        ("cancel_order", {"order_id": "10234"}, "Wants to cancel order 10234"),
        ("cancel_order", {"order_id": None}, "Wants to cancel an order"),
        ("refund_late", {"order_id": None, "amount": "$45", "date": "3 May"}, "Refund of $45 is overdue since 3 May"),
        ("weather", {"city": "Oslo"}, "Asks about rain: Oslo"),
    ],
)
def test_demands_say_what_is_known(intent: str, slots: dict[str, str | None], line: str) -> None:
    assert demand(intent, slots, "asks about rain") == line


@pytest.mark.parametrize(
    ("intent", "text", "mood"),
    [
        ("track_order", "where is order 5", Sentiment.NEUTRAL),
        ("order_late", "order 5 is late", Sentiment.NEGATIVE),
        ("order_late", "this is RIDICULOUS", Sentiment.ANGRY),
        ("thanks", "cheers", Sentiment.POSITIVE),
    ],
)
def test_moods(intent: str, text: str, mood: Sentiment) -> None:
    assert sentiment(intent, text) is mood


def test_an_order_that_is_needed_and_unknown_is_a_missing_detail() -> None:
    assert reason("cancel_order", {"order_id": None}) is ActionReason.MISSING_DETAIL
    assert reason("cancel_order", {"order_id": "5"}) is ActionReason.ANSWERED
    assert reason("handoff_legal", {}) is ActionReason.LEGAL


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"action":"reply","template":"nothing"}',
        '{"action":"clarify","template":"thanks","slots":{},"demand":"","sentiment":"neutral","action_reason":"answered"}',
        '{"action":"reply","template":"cancel_order","slots":{},"demand":"","sentiment":"neutral","action_reason":"answered"}',
    ],
)
def test_an_examination_takes_no_reply_that_the_schema_refuses(raw: str) -> None:
    assert parsed(raw, shop().pack) is None


TRADES = [(name, line) for name, lines in table("trades").items() for line in lines]


def test_trades_are_many_and_their_lines_have_messages_in_other_words() -> None:
    assert len(table("trades")) > 45
    assert all(len(lines) >= 10 for lines in table("trades").values())
    assert all(
        len(says) >= 5 and line not in says for lines in table("trades").values() for line, says in lines.items()
    )


def test_a_trades_values_are_its_slots() -> None:
    rng = Random(1)
    for name, line in TRADES:
        intent = f"{trades.PREFIX}/{name}/{line}"
        for _ in range(3):
            said = trades.spoken(intent, rng)
            assert not set("{}|\0\1") & set(said.text)
            assert {key for key in said.values if key != "name"} <= set(trades.slots(intent))


def test_the_examined_pack_is_not_among_the_trades() -> None:
    held = load_pack(HELD_PACK)
    assert not {template.when for template in held.offered} & {line for _, line in TRADES}
