"""Going through conversations with a model, and what came out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.training.evaluation.cases import Asked, Case
from prompts import Line, LineRole, Pack, assemble, prompt_form, reply_schema, turn_schema
from prompts.schema import Schema

KEYS = ("action", "template", "slots", "demand", "sentiment", "action_reason")


@dataclass(frozen=True)
class Question:
    """What is asked of a model: the next reply to `lines`, which end with the customer's."""

    pack: Pack
    lines: tuple[Line, ...]

    @property
    def messages(self) -> list[dict[str, str]]:
        return assemble(self.pack, self.lines)

    @property
    def texts(self) -> list[str]:
        """The customer's own words."""
        return [line.text for line in self.lines if line.role == LineRole.CUSTOMER]


Answer = Callable[[Sequence[Question]], list[str]]
Schemas = Callable[[Question], Schema]


def as_served(question: Question) -> Schema:
    """The schema of a first attempt."""
    return turn_schema(question.pack, question.texts)


def free_values(question: Question) -> Schema:
    """The schema without regard to what the customer said."""
    return reply_schema(question.pack)


@dataclass(frozen=True)
class Marked:
    """One turn's answer against what was asked."""

    asked: Asked
    raw: str
    template: str
    is_valid: bool
    has_template: bool
    has_slots: bool
    has_reason: bool
    demand: str
    invented: int
    filled: int

    @property
    def is_right(self) -> bool:
        return self.has_template and self.has_slots and self.has_reason


def examined(cases: Sequence[Case], answer: Answer) -> list[list[Marked]]:
    """Every case turn by turn; after a case's own history, the model's own answers are its history."""
    lines: list[list[Line]] = [list(case.history) for case in cases]
    marks: list[list[Marked]] = [[] for _ in cases]
    for number in range(max(len(case.turns) for case in cases)):
        active = [at for at, case in enumerate(cases) if number < len(case.turns)]
        for at in active:
            lines[at].append(Line("customer", prompt_form(cases[at].turns[number].text)))
        questions = [Question(cases[at].pack, tuple(lines[at])) for at in active]
        for at, question, raw in zip(active, questions, answer(questions), strict=True):
            marks[at].append(marked(cases[at].turns[number], raw, question.pack, " ".join(question.texts)))
            lines[at].append(Line("assistant", raw))
    return marks


def marked(asked: Asked, raw: str, pack: Pack, said: str) -> Marked:
    """One answer judged. Invented: a slot's value that stands nowhere in the customer's words."""
    reply = parsed(raw, pack)
    if reply is None:
        return Marked(asked, raw, "", False, False, False, False, "", 0, 0)
    slots = reply["slots"]
    values = [str(value) for value in slots.values() if value is not None]
    invented = sum(_plain(value) not in _plain(said) for value in values)
    wanted = {key: value for key, value in (asked.slots or {}).items() if key in asked.judged}
    return Marked(
        asked,
        raw,
        str(reply["template"]),
        True,
        not asked.templates or reply["template"] in asked.templates,
        all(_same(slots.get(key), value) for key, value in wanted.items()),
        asked.reason is None or reply["action_reason"] == asked.reason,
        str(reply["demand"]),
        invented,
        len(values),
    )


def parsed(raw: str, pack: Pack) -> dict[str, object] | None:
    """The reply, if it is what the schema admits."""
    try:
        reply = json.loads(raw)
    except json.JSONDecodeError:
        return None
    template = pack.templates.get(str(reply.get("template"))) if isinstance(reply, dict) else None
    if template is None or tuple(reply) != KEYS or reply["action"] != template.action.value:
        return None
    return reply if list(reply["slots"]) == [slot.name for slot in template.asked] else None


def _same(value: object, wanted: str | None) -> bool:
    if value is None or wanted is None:
        return value is wanted
    return _plain(str(value)) == _plain(wanted)


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).lstrip("#")
