"""The committed evaluation set, through a real replica and the pack's grammar: a worse model does not slip in.

The thresholds stand a little below what the committed weights reached; the goals are in the model's card.
"""

import json

import pytest

from backend.training.catalogues import shop
from backend.training.evaluation.cases import written_cases
from backend.training.evaluation.engine import Guided
from backend.training.evaluation.exam import Question, examined
from prompts import Line, LineRole

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("name", "at_least"), [("exam_messages", 0.96), ("exam_handoffs", 0.97), ("exam_conversations", 0.93)]
)
def test_turns_are_right(engine_urls: list[str], name: str, at_least: float) -> None:
    marks = [mark for talk in examined(written_cases(name), Guided(engine_urls[0])) for mark in talk]
    assert all(mark.is_valid for mark in marks)
    assert sum(mark.is_right for mark in marks) / len(marks) >= at_least


@pytest.mark.parametrize("number", ["451959264847564696", "303-XXXXXXXXX-XXXXXXXXX", "678-XXXXX-XXXXX91"])
def test_a_number_is_copied_exactly(engine_urls: list[str], number: str) -> None:
    """Left alone, the weights before these lost or added a character in each."""
    said = Line(LineRole.CUSTOMER, f"Please cancel my order {number}.")
    [raw] = Guided(engine_urls[0])([Question(shop().pack, (said,))])
    assert json.loads(raw)["slots"]["order_id"] == number
