"""STAR's held-out dialogues as cases: what people and the wizard said before is given, the next template is asked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from backend.training.bank_reply import bank_reply
from backend.training.corpora import Sources
from backend.training.evaluation.cases import Asked, Case
from backend.training.star import (
    BANK_TASKS,
    BY_ANSWERS,
    StarTalk,
    StarTurn,
    other_talks,
    star_talks,
    templates_of,
)
from prompts import Action, Line, LineRole, Pack, Template, compact, load_pack
from prompts.check import PACKS

_MATTERS = ": balances and fraud reports, nothing else"
SEEN_LEAST = 5
"""Replies that the wizards of a task picked less often in training are no template of its catalogue."""


def bank_cases(sources: Sources, part: str = "test") -> list[Case]:
    """Every pick in a bank's task, with the approved templates in the place of the wizard's earlier picks."""
    pack = load_pack(PACKS / "bank")
    return [case for talk in star_talks(sources, part) for case in _bank_cases(talk, pack)]


def _bank_cases(talk: StarTalk, pack: Pack) -> Iterator[Case]:
    history: list[Line] = []
    for turn in talk.turns:
        if turn.task in BANK_TASKS:
            yield _asked(turn, _right(turn), pack, history)
        said = "\n".join([*(line.text for line in history if line.role is LineRole.CUSTOMER), turn.text])
        history += [*turn.lines, Line(LineRole.ASSISTANT, bank_reply(pack, turn, said))]


def _right(turn: StarTurn) -> frozenset[str]:
    """STAR's label says what the wizard told, not by which of the pack's two ways the customer was identified."""
    right = frozenset(templates_of(turn))
    return right | {way for pair in BY_ANSWERS.items() for way in pair if right & set(pair)}


def other_cases(sources: Sources, part: str = "test") -> list[Case]:
    """The same for STAR's other services, each with a catalogue of its own: the wizard's own texts are its lines."""
    packs = {task: service_pack(talks) for task, talks in _by_task(other_talks(sources)).items()}
    talks = _by_task(other_talks(sources, part))
    return [case for task, found in talks.items() for talk in found for case in _other_cases(talk, packs[task])]


def _by_task(talks: Sequence[StarTalk]) -> dict[str, list[StarTalk]]:
    found: dict[str, list[StarTalk]] = {}
    for talk in talks:
        found.setdefault(min(talk.tasks), []).append(talk)
    return found


def _other_cases(talk: StarTalk, pack: Pack) -> Iterator[Case]:
    history: list[Line] = []
    for turn in talk.turns:
        template = pack.templates.get(turn.label)
        if template is None:
            history += [*turn.lines, Line(LineRole.AGENT, turn.said)]
            continue
        yield _asked(turn, frozenset({turn.label}), pack, history)
        history += [*turn.lines, Line(LineRole.ASSISTANT, _reply(template))]


def _asked(turn: StarTurn, right: frozenset[str], pack: Pack, history: Sequence[Line]) -> Case:
    """A turn's last line is always the customer's."""
    return Case([Asked(turn.lines[-1].text, right)], pack, (*history, *turn.lines[:-1]))


def service_pack(talks: Sequence[StarTalk]) -> Pack:
    """A catalogue of what the wizards picked in `talks`, told by their usual words."""
    base = load_pack(PACKS / "bank")
    said: dict[str, Counter[str]] = {}
    for talk in talks:
        for turn in talk.turns:
            said.setdefault(turn.label, Counter())[" ".join(turn.said.split())] += 1
    lines = {label: texts.most_common(1)[0][0] for label, texts in sorted(said.items()) if texts.total() >= SEEN_LEAST}
    service = talks[0].turns[0].task.replace("_", " ")
    system = base.system.replace("a bank,", f"a service for {service},").replace(_MATTERS, "")
    return base.model_copy(update={"system": system, "policies": (), "templates": _templates(lines)})


def _templates(lines: Mapping[str, str]) -> dict[str, Template]:
    return {
        label: Template(id=label, when=f"says: {text}", action=_action(label), bodies={"en": text})
        for label, text in lines.items()
    }


def _action(label: str) -> Action:
    return Action.CLARIFY if label == "out_of_scope" else Action.REPLY


def _reply(template: Template) -> str:
    return compact(
        {
            "action": template.action.value,
            "template": template.id,
            "slots": {},
            "demand": template.when[:1].upper() + template.when[1:],
            "sentiment": "neutral",
            "action_reason": "answered",
        }
    )
