"""Floors and similarities of a set, with an encoder that compares words."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from backend.training.catalogues import shop
from backend.training.evaluation.beside import Beside
from backend.training.evaluation.cases import Asked, Case
from backend.training.evaluation.exam import Question, examined
from backend.training.evaluation.floors import Example
from prompts import compact

PACK = shop().pack
EXAMPLES = [
    Example("where is my order 111", "track_order", {"order_id": "111"}, "Wants to track order 111"),
    Example("where is my parcel", "track_order", {"order_id": None}, "Wants to track an order"),
    Example("thanks a lot", "thanks", {}, "Says thanks"),
]


def words(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of word counts, with the same axes in every call: two texts are alike if their words are."""
    rows = np.zeros((len(texts), 4096))
    for row, text in zip(rows, texts, strict=True):
        for word in text.split() or [""]:
            row[sum(map(ord, word)) * 31 % 4096] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def case(text: str, template: str, slots: dict[str, str | None], demand: str | None = None) -> Case:
    return Case([Asked(text, frozenset({template}), slots, frozenset(slots), None, demand)], PACK)


def answering(template: str, slots: dict[str, str | None], demand: str = "") -> str:
    action = PACK.templates[template].action.value
    told = {"action": action, "template": template, "slots": slots, "demand": demand}
    return compact(told | {"sentiment": "neutral", "action_reason": "answered"})


def beside(cases: list[Case], raw: list[str]) -> Beside:
    def answer(asked: Sequence[Question]) -> list[str]:
        assert len(asked) == len(raw)
        return raw

    return Beside(cases, examined(cases, answer), EXAMPLES)


CASES = [
    case("where is my order 222", "track_order", {"order_id": "222"}, "Wants to track order 222"),
    case("thanks", "thanks", {}),
    case("cancel it", "cancel_order", {"order_id": None}),
]


def test_floors_are_counted_over_turns() -> None:
    raw = [answering("thanks", {})] * 3
    assert beside(CASES, raw).floors() == {"floor_constant": 33.33, "floor_nearest": 66.67}


@pytest.mark.parametrize(
    ("raw", "share"),
    [
        (answering("track_order", {"order_id": "222"}), 100.0),
        (answering("thanks", {}), 0.0),
        ("no JSON", 0.0),
    ],
)
def test_a_reply_counts_by_the_text_that_the_customer_reads(raw: str, share: float) -> None:
    figures = beside(CASES[:1], [raw]).replies(words)
    assert figures["reply"] == share
    assert figures["reply_floor_constant"] == 0.0  # asks for the number instead of telling where the order is


def test_demands_are_compared_where_a_reference_is_known() -> None:
    raw = [answering("track_order", {"order_id": "222"}, demand="Wants to track order 222"), answering("thanks", {})]
    figures = beside(CASES[:2], raw).demands(words)
    assert figures["demand_alike"] == 100.0
    assert figures["demand_floor_nearest"] == 0.0
    assert beside(CASES[1:2], raw[1:]).demands(words) == {}


def test_what_nobody_judged_is_taken_from_the_answer() -> None:
    asked = Asked("the lamp is broken", frozenset({"item_damaged"}), {"order_id": None}, frozenset({"order_id"}))
    raw = answering("item_damaged", {"order_id": None, "product": "lamp"})
    assert json.loads(raw)["slots"]["product"] == "lamp"
    assert beside([Case([asked], PACK)], [raw]).replies(words)["reply"] == 100.0
