"""What stands beside a set's figures: floors, and how near replies and demands come to the reference."""

import json
from collections.abc import Mapping, Sequence
from statistics import fmean

from backend.training.evaluation.cases import Asked, Case
from backend.training.evaluation.exam import Marked
from backend.training.evaluation.examples import cue_of
from backend.training.evaluation.floors import Example, constant, copied
from backend.training.evaluation.replies import reply_text
from backend.training.evaluation.similarity import Encode, alike, by_chance
from prompts import Pack

Figures = dict[str, float]


class Beside:
    """One set's turns with, for each, the training text that is nearest."""

    def __init__(self, cases: Sequence[Case], marks: Sequence[Sequence[Marked]], examples: Sequence[Example]) -> None:
        self._turns = [(case, mark) for case, talk in zip(cases, marks, strict=True) for mark in talk]
        cues = [
            cue_of(case.history if mark is talk[0] else (), mark.asked.text)
            for case, talk in zip(cases, marks, strict=True)
            for mark in talk
        ]
        self._copied, self._examples = copied(examples, cues), examples

    def floors(self) -> Figures:
        """The template, in percent: one answer to all, and the nearest training text's answer."""
        always = constant(example.answer for example in self._examples)
        return {
            "floor_constant": _percent(always in mark.asked.templates for _, mark in self._turns),
            "floor_nearest": _percent(
                example.answer in mark.asked.templates
                for (_, mark), example in zip(self._turns, self._copied, strict=True)
            ),
        }

    def replies(self, encode: Encode) -> Figures:
        """Replies as near to the reference as `ALIKE`, beside their floors and what two references have in common."""
        always = constant(example.answer for example in self._examples)
        references = [reference(case.pack, mark) for case, mark in self._turns]
        given = [answered(case.pack, mark) for case, mark in self._turns]
        near = [
            reply_text(case.pack, e.answer, e.slots) for (case, _), e in zip(self._turns, self._copied, strict=True)
        ]
        one = [reply_text(case.pack, always, {}) for case, _ in self._turns]
        return {
            "reply": _alike(encode, references, given),
            "reply_floor_constant": _alike(encode, references, one),
            "reply_floor_nearest": _alike(encode, references, near),
            "reply_by_chance": round(by_chance(encode, references), 3),
        }

    def demands(self, encode: Encode) -> Figures:
        """The staff's line likewise, where a reference is known; none if it is nowhere."""
        told = [
            (mark, example)
            for (_, mark), example in zip(self._turns, self._copied, strict=True)
            if mark.asked.demand is not None
        ]
        lines = [example.demand for example in self._examples if example.demand is not None]
        if not told or not lines:
            return {}
        references = [str(mark.asked.demand) for mark, _ in told]
        return {
            "demand_alike": _alike(encode, references, [mark.demand for mark, _ in told]),
            "demand_floor_constant": _alike(encode, references, [constant(lines)] * len(told)),
            "demand_floor_nearest": _alike(encode, references, [example.demand or "" for _, example in told]),
            "demand_by_chance": round(by_chance(encode, references), 3),
        }


def answered(pack: Pack, mark: Marked) -> str:
    """What the customer would read; nothing if the answer was unlawful."""
    reply = _reply(mark) if mark.is_valid else None
    return reply_text(pack, str(reply["template"]), reply["slots"]) if reply else ""


def reference(pack: Pack, mark: Marked) -> str:
    """A person's reply if there is one, else the approved text with the right slots.

    Of several right templates the answer's own counts; a slot that nobody judged is as the answer has it.
    """
    if mark.asked.reference is not None:
        return mark.asked.reference
    reply, asked = _reply(mark) if mark.is_valid else None, mark.asked
    if reply and reply["template"] in asked.templates:
        return reply_text(pack, str(reply["template"]), {**reply["slots"], **judged(asked)})
    return reply_text(pack, min(asked.templates), judged(asked))


def judged(asked: Asked) -> Mapping[str, str | None]:
    return {name: value for name, value in (asked.slots or {}).items() if name in asked.judged}


def _reply(mark: Marked) -> dict[str, object]:
    return json.loads(mark.raw)


def _alike(encode: Encode, references: Sequence[str], given: Sequence[str]) -> float:
    return _percent(alike(encode, list(zip(references, given, strict=True))))


def _percent(held: object) -> float:
    return round(100 * fmean(map(bool, held)), 2)
