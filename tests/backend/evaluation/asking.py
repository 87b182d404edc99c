"""Messages to ask a model, for tests in either environment."""

from backend.training.evaluation.cases import Case, written_cases
from backend.training.evaluation.exam import Messages
from prompts import Line, Pack, assemble


def asked() -> list[tuple[Messages, Pack]]:
    """Messages that begin a conversation, and the next ones without the reply between."""
    cases = written_cases("conversations")[:6] + written_cases("handoffs")[:3]
    return [_at(case, turns) for case in cases for turns in range(1, 1 + min(2, len(case.turns)))]


def _at(case: Case, turns: int) -> tuple[Messages, Pack]:
    return assemble(case.pack, [Line("customer", turn.text) for turn in case.turns[:turns]]), case.pack
