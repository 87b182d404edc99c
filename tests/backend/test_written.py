"""Conversations that were written down: lawful labels, no test item, told anew with values that stand in them."""

import json
import re
from pathlib import Path
from random import Random

import pytest

from backend.training.catalogues import renamed_shop, shop
from backend.training.corpora import LABELS, Sources, key, labelled, without_near_duplicates, written_outside
from backend.training.dialogues import Scene, Talk
from backend.training.evaluation.exam import parsed
from backend.training.grammar import Piece, Utterance
from backend.training.speaker import Speaker
from backend.training.written import Line, _renewed, told_anew, written

MESSAGES = frozenset(line.text for lines in written() for line in lines)
SPEAKER = Speaker(Sources(Path()), "x")
SHORT = 16
"""Letters: what is shorter, such as "ok thanks", is everybody's."""


def test_every_label_is_a_template_with_its_slots_and_values_that_were_typed() -> None:
    assert len(written()) > 1000
    for lines in written():
        said = ""
        for line in lines:
            said += f"\n{line.text}"
            assert line.intent in shop().ids
            assert set(line.known) <= {slot.name for slot in shop().template(line.intent).asked}
            assert all(value is None or (value and value in said) for value in line.known.values())


def test_no_test_item_is_among_them() -> None:
    def of(text: str) -> Utterance:
        return Utterance([Piece(text)], "")

    files = [*(LABELS.parent / "evaluation").glob("*.jsonl"), LABELS / "cucom_test.jsonl"]
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    held = [of(turn["text"]) for row in rows for turn in row.get("turns", [row])]
    said = [of(line.text) for lines in written() for line in lines] + [of(text) for text in written_outside()]
    said = [each for each in said if len(key(each)) >= SHORT]
    left = without_near_duplicates(said, [each for each in held if len(key(each)) >= SHORT])
    assert {each.text for each in said} == {each.text for each in left}


def test_what_is_told_anew_keeps_its_labels_and_stands_in_the_messages() -> None:
    numbers = set()
    for seed in range(300):
        said = ""
        for line, known in told_anew(Random(seed)):
            said += f"\n{line.text}"
            assert all(value is None or value in said for value in known.values())
            numbers.add(known.get("order_id"))
    assert len(numbers) > 200, "numbers are drawn anew"


def test_a_value_is_the_same_throughout_and_one_within_another_stays() -> None:
    lines = [
        Line("my Lamp broke, order 4711", "item_damaged", {"order_id": "4711", "product": "Lamp"}),
        Line("no 4712. the lamp", "item_damaged", {"order_id": "4712", "product": "lamp"}),
        Line("the blue rug too, rug I said", "item_damaged", {"product": "blue rug"}),
        Line("yes the rug", "return_item", {"order_id": "4712", "product": "rug"}),
    ]
    for seed in range(50):
        turns = list(_renewed(lines, Random(seed)))
        known = [each for _, each in turns]
        assert known[0]["product"].lower() == known[1]["product"].lower()
        assert known[0]["order_id"] != known[1]["order_id"] == known[3]["order_id"]
        assert (known[2]["product"].lower(), known[3]["product"].lower()) == ("blue rug", "rug")


def test_numbers_that_are_alike_stay_alike_and_keep_their_shape() -> None:
    said = [f"where is {number}" for number in ("TK 19.41/b", "TK 19.44/b")]
    lines = [Line(text, "track_order", {"order_id": text.removeprefix("where is ")}) for text in said]
    told = [[known["order_id"] for _, known in _renewed(lines, Random(seed))] for seed in range(200)]
    alike = [
        (one, other)
        for one, other in told
        if re.fullmatch(r"[A-Z]{2} \d\d\.\d\d/[a-z]", one) and one[:-3] == other[:-3]
    ]
    assert len({one for one, _ in alike}) > 50
    assert all(one != other for one, other in told)


@pytest.mark.parametrize("seed", range(40))
def test_a_scene_answers_them_lawfully(seed: int) -> None:
    rng = Random(seed)
    scene = Scene(shop() if seed % 2 else renamed_shop(rng, []), SPEAKER, rng)
    for turn in scene._written():
        reply = parsed(turn.reply, scene.catalogue.pack)
        assert reply and reply["template"] == scene.catalogue.ids[turn.intent]
        assert turn.source in MESSAGES, "by which it is known what it means"


def test_nobody_learns_from_a_slot_that_the_label_leaves_out() -> None:
    talk = [row["turns"] for row in labelled("conversations")]
    assert any(
        set(turn.get("slots", {})) < {slot.name for slot in shop().template(turn["template"]).asked}
        for turns in talk
        for turn in turns
    )
    scene = Scene(shop(), SPEAKER, Random(1))
    said = Utterance([Piece("it is late")], "order_late", unknown=frozenset({"date", "order_id"}))
    turn = scene.answered(Talk(orders=["4711"]), said, "order_late", {})
    assert turn.hidden == {"date", "order_id"}
