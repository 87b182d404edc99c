"""Conversations from a file, one JSON object a line, as cases to answer.

    {"turns": [{"role": "customer"|"agent", "text": ...}, ...], "template"?, "slots"?, "demand"?, "reference"?}

The last customer's message is answered; what stands before it is history. `template` (several: `a|b`), `slots`,
`demand` and `reference`, the reply that a good agent gave, are what is right; what is left out is not judged. Without
`reference` the agent's message that follows the last customer's is it. The four may stand in customers' turns instead:
then each of those turns is answered, and the model's own replies are the history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.training.evaluation.cases import Asked, Case
from prompts import Line, LineRole, Pack, prompt_form


class Labels(BaseModel):
    """What is right."""

    model_config = ConfigDict(extra="forbid", strict=True)

    template: str | None = None
    slots: dict[str, str | int | float | None] | None = None
    demand: str | None = None
    reference: str | None = None
    reason: str | None = None

    @property
    def is_given(self) -> bool:
        return any(getattr(self, name) is not None for name in Labels.model_fields)


class Said(Labels):
    """One message."""

    role: Literal["customer", "agent"]
    text: str = Field(min_length=1)


class Conversation(Labels):
    """One line of the file."""

    turns: list[Said] = Field(min_length=1)


@dataclass(frozen=True)
class Complaint:
    """Why a line was skipped."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Dataset:
    """The cases of a file, and the lines that are none."""

    cases: list[Case]
    complaints: list[Complaint]


def read(lines: Iterable[bytes], pack: Pack) -> Dataset:
    """Every line that can be asked of `pack`. Empty lines are no mistake."""
    cases: list[Case] = []
    complaints: list[Complaint] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            cases.append(case_of(Conversation.model_validate_json(line.decode()), pack))
        except UnicodeDecodeError:
            complaints.append(Complaint(number, "not UTF-8"))
        except ValidationError as error:
            complaints.append(Complaint(number, "; ".join(_said(detail) for detail in error.errors())))
        except ValueError as error:
            complaints.append(Complaint(number, str(error)))
    return Dataset(cases, complaints)


def case_of(conversation: Conversation, pack: Pack) -> Case:
    """Raises ValueError for a conversation that asks nothing, and for labels that the pack does not have."""
    customers = [at for at, turn in enumerate(conversation.turns) if turn.role == "customer"]
    if not customers:
        raise ValueError("turns: there is no customer's message")
    labelled = [at for at in customers if conversation.turns[at].is_given]
    if labelled:
        if conversation.is_given:
            raise ValueError("template, slots, demand and reference stand in the turns or beside them, not in both")
        return Case([_asked(conversation.turns[at], conversation.turns[at].text, pack) for at in customers], pack)
    last = customers[-1]
    after = [turn.text for turn in conversation.turns[last + 1 :]]
    reference = conversation.reference or (after[0] if after else None)
    labels = conversation.model_copy(update={"reference": reference})
    asked = _asked(labels, conversation.turns[last].text, pack)
    return Case([asked], pack, tuple(_history(conversation.turns[:last])))


def _history(turns: Iterable[Said]) -> Iterator[Line]:
    for turn in turns:
        if turn.role == "customer":
            yield Line(LineRole.CUSTOMER, prompt_form(turn.text))
        else:
            yield Line(LineRole.AGENT, turn.text)


def _asked(labels: Labels, text: str, pack: Pack) -> Asked:
    """What to ask, with labels that the pack has. Raises ValueError for others."""
    templates = frozenset(labels.template.split("|")) if labels.template else frozenset()
    offered = {template.id: template for template in pack.offered}
    if unknown := sorted(templates - offered.keys()):
        raise ValueError(f"template: {pack.name} offers no {unknown[0]}")
    slots = {name: None if value is None else str(value) for name, value in (labels.slots or {}).items()}
    known = {slot.name for template in (templates or offered.keys()) for slot in offered[template].asked}
    if unknown := sorted(slots.keys() - known):
        raise ValueError(f"slots: the template has no slot {unknown[0]}")
    return Asked(
        text, templates, slots or None, frozenset(slots), labels.reason, labels.demand, reference=labels.reference
    )


def _said(detail: dict[str, object]) -> str:
    """One of pydantic's complaints in one line."""
    where = ".".join(str(part) for part in detail["loc"])
    return f"{where}: {detail['msg']}" if where else str(detail["msg"])
