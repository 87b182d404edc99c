"""Lines that lean on what was said before: what they mean, and what becomes of the values."""

import json
from pathlib import Path
from random import Random

from backend.training.catalogues import shop
from backend.training.corpora import Sources
from backend.training.dialogues import Scene, Talk, Turn
from backend.training.evaluation.exam import parsed
from backend.training.follow_ups import START, Next, following
from backend.training.speaker import Speaker

LINES = [line for lines in following().values() for line in lines]
SPEAKER = Speaker(Sources(Path()), "x")


def answered(talk: Talk, line: Next, seed: int) -> Turn | None:
    """The turn of a line that follows in `talk`, if it fits."""
    scene = Scene(shop(), SPEAKER, Random(seed))
    if not scene._fits(line, talk):
        return None
    followed = scene._led(talk, line)
    return scene.answered(talk, *followed) if followed else None


def test_every_line_means_a_template_of_the_shop_and_can_be_reached() -> None:
    assert {line.intent for line in LINES if line.intent} <= set(shop().ids)
    assert set(following()) <= {START, *(line.intent for line in LINES)}
    assert sum(map(len, following().values())) > 300


def test_values_stand_in_the_customers_words() -> None:
    for seed in range(len(LINES)):
        rng, talk, said, turns = Random(seed), Talk(), "", []
        line = rng.choice(following()[START])
        for _ in range(6):
            turn = answered(talk, line, rng.randrange(10**6))
            if turn:
                turns.append(turn)
                said += f"\n{turn.text}"
                reply = parsed(turn.reply, shop().pack)
                assert reply
                assert all(value in said for value in reply["slots"].values() if value)
            line = rng.choice(following().get(talk.intent, following()[START]))
        assert turns


def test_a_number_that_was_wrong_is_forgotten() -> None:
    talk = Talk()
    first = answered(talk, Next("cancel_order", "cancel order {order_id}"), 1)
    second = answered(talk, Next("", "sorry, {order_id}", is_fix=True, is_new=True), 2)
    third = answered(talk, Next("check_cancellation_fee", "is that free"), 3)
    numbers = [json.loads(turn.reply)["slots"]["order_id"] for turn in (first, second, third) if turn]
    assert len(numbers) == 3
    assert numbers[0] != numbers[1] == numbers[2]


def test_the_first_order_is_the_first() -> None:
    talk = Talk()
    ask = Next("track_order", "where is {order_id}")
    first, second = answered(talk, ask, 1), answered(talk, Next("", "and {order_id}", is_new=True), 2)
    again = answered(talk, Next("track_order", "the first one", is_first=True), 3)
    assert first and second and again
    assert json.loads(again.reply)["slots"] == json.loads(first.reply)["slots"] != json.loads(second.reply)["slots"]


def test_nothing_leans_on_an_order_that_nobody_named() -> None:
    assert answered(Talk(intent="track_order"), Next("", "sorry, {order_id}", is_fix=True, is_new=True), 1) is None
    assert answered(Talk(intent="track_order"), Next("track_order", "the first one", is_first=True), 1) is None


def test_what_a_talk_goes_on_with_is_about_the_same_thing() -> None:
    talk = Talk()
    damaged = answered(talk, Next("item_damaged", "my {product} of order {order_id} is broken"), 1)
    back = answered(talk, Next("return_item", "how do i send it back"), 2)
    other = answered(talk, Next("return_item", "and {order_id}", is_new=True), 3)
    told = [json.loads(turn.reply)["slots"]["product"] for turn in (damaged, back, other) if turn]
    assert told[0] == told[1] is not None
    assert told[2:] == [None]


def test_an_amount_of_another_demand_is_no_lesson() -> None:
    talk = Talk()
    assert answered(talk, Next("charged_twice", "you took {amount} twice"), 1)
    refund = answered(talk, Next("get_refund", "i want it back"), 2)
    assert refund and refund.hidden == {"amount"}


def test_a_thing_that_meant_nothing_yet_is_what_comes_next() -> None:
    talk = Talk()
    assert answered(talk, Next("clarify", "my {product}"), 1)
    damaged = answered(talk, Next("item_damaged", "it arrived broken"), 2)
    assert damaged and json.loads(damaged.reply)["slots"]["product"] == talk.told["product"]
