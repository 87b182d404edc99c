"""Questions to ask a model, for tests in either environment."""

from backend.training.evaluation.cases import Case, written_cases
from backend.training.evaluation.exam import Question
from prompts import Line


def asked() -> list[Question]:
    """Messages that begin a conversation, and the next ones without the reply between."""
    cases = written_cases("conversations")[:6] + written_cases("handoffs")[:3]
    return [_at(case, turns) for case in cases for turns in range(1, 1 + min(2, len(case.turns)))]


def _at(case: Case, turns: int) -> Question:
    return Question(case.pack, tuple(Line("customer", turn.text) for turn in case.turns[:turns]))
