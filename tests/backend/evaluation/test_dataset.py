"""Conversation files: what a line may say, and how a bad one is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from backend.training.catalogues import shop
from backend.training.evaluation.cases import HELD_PACK, Case
from backend.training.evaluation.dataset import Dataset, read
from prompts import LineRole, assemble, load_pack

PACK = shop().pack
EVALUATION = HELD_PACK.parents[1]


def line(*turns: tuple[str, str], **labels: Any) -> bytes:
    return json.dumps({"turns": [{"role": role, "text": text} for role, text in turns]} | labels).encode()


def read_one(text: bytes) -> Case:
    dataset = read([text], PACK)
    assert dataset.complaints == []
    [case] = dataset.cases
    return case


ORDER = ("customer", "my lamp is broken, order 10234")


def test_the_last_customers_message_is_asked_with_its_labels() -> None:
    case = read_one(
        line(
            ("customer", "hello"), ("agent", "How can I help?"), ORDER,
            template="item_damaged|return_item", slots={"order_id": "10234", "product": None}, demand="Broken lamp",
        )
    )  # fmt: skip
    [asked] = case.turns
    assert (asked.text, asked.templates) == (ORDER[1], {"item_damaged", "return_item"})
    assert (asked.slots, asked.judged) == ({"order_id": "10234", "product": None}, {"order_id", "product"})
    assert (asked.demand, asked.reference) == ("Broken lamp", None)
    assert [(item.role, item.text) for item in case.history] == [
        (LineRole.CUSTOMER, "hello"),
        (LineRole.AGENT, "How can I help?"),
    ]
    assert assemble(PACK, case.history)[-1]["content"] == "hello\n[agent] How can I help?"


def test_what_the_agent_answered_is_the_reference_unless_one_is_given() -> None:
    turns = (ORDER, ("agent", "I'm sorry!"), ("agent", "Bye."))
    assert read_one(line(*turns)).turns[0].reference == "I'm sorry!"
    assert read_one(line(*turns, reference="Oh no.")).turns[0].reference == "Oh no."


def test_without_labels_nothing_is_judged() -> None:
    [asked] = read_one(line(ORDER)).turns
    assert (asked.templates, asked.judged, asked.demand, asked.reference) == (frozenset(), frozenset(), None, None)


def test_labels_in_the_turns_ask_every_customers_turn() -> None:
    turns = [
        {"role": "customer", "text": "hi"},
        {"role": "agent", "text": "Hello."},
        {"role": "customer", "text": "where is 10234", "template": "track_order", "slots": {"order_id": 10234}},
    ]
    case = read_one(json.dumps({"turns": turns}).encode())
    assert [asked.templates for asked in case.turns] == [frozenset(), {"track_order"}]
    assert case.turns[1].slots == {"order_id": "10234"}
    assert case.history == ()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "object"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"text": "hi"}', "turns: Field required"),
        (line(), "turns: List should have at least 1 item"),
        (line(("customer", "")), "turns.0.text"),
        (line(("bot", "hi")), "turns.0.role"),
        (line(("agent", "hi")), "no customer's message"),
        (line(ORDER, template="no_such"), "demo-shop offers no no_such"),
        (line(ORDER, template="thanks", slots={"order_id": "1"}), "no slot order_id"),
        (line(ORDER, slots={"colour": "red"}), "no slot colour"),
        (line(ORDER, slots=["10234"]), "slots"),
        (line(ORDER, label="x"), "label: Extra inputs"),
        (
            json.dumps(
                {"turns": [{"role": "customer", "text": "hi", "template": "greeting"}], "template": "greeting"}
            ).encode(),
            "not in both",
        ),
    ],
)
def test_a_bad_line_is_skipped_with_its_number_and_reason(bad: bytes, reason: str) -> None:
    dataset = read([line(ORDER), b"", bad, line(ORDER)], PACK)
    assert len(dataset.cases) == 2
    [complaint] = dataset.complaints
    assert str(complaint).startswith("line 3: ")
    assert reason in complaint.reason


def test_an_empty_file_has_neither() -> None:
    assert read([b"\n"], PACK) == Dataset([], [])


@pytest.mark.parametrize("path", sorted(EVALUATION.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_was_written_by_hand_can_be_asked_and_is_grounded(path: Path) -> None:
    pack = load_pack(HELD_PACK) if path.stem == "trailhead" else PACK
    dataset = read(path.read_bytes().splitlines(), pack)
    assert dataset.complaints == []
    for case in dataset.cases:
        for at, asked in enumerate(case.turns):
            said = " ".join(turn.text for turn in case.turns[: at + 1]).casefold()
            for value in (asked.slots or {}).values():
                assert value is None or value.casefold() in said, asked.text
