"""What training had to copy from, beside each set: the texts and answers that floors are made of."""

import json
from collections.abc import Iterator, Sequence

from backend.training.catalogues import shop
from backend.training.corpora import Sources, bitext, clinc, labelled, real
from backend.training.evaluation.cases import Case, made_cases
from backend.training.evaluation.floors import Example
from backend.training.evaluation.star import bank_cases, other_cases
from backend.training.grammar import Utterance
from backend.training.speaker import Speaker
from prompts import Line, LineRole

MADE_SEED, MADE = 1, 1000
"""Conversations of our grammar that are no examination's: those begin with other seeds."""


def examples(name: str, cases: Sequence[Case], sources: Sources, speaker: Speaker) -> list[Example]:
    """The training texts for a set of `backend.training.evaluate`; for a pack that was never seen, its own lines."""
    if name.startswith("made"):
        return [_made(case) for case in made_cases(speaker, turns=(1, 1), count=MADE, seed=MADE_SEED)]
    if name.startswith("unseen"):
        return [Example(template.when, template.id) for template in cases[0].pack.offered]
    if name == "star bank":
        return [_given(case) for case in bank_cases(sources, "train")]
    if name == "star others":
        return [_given(case) for case in other_cases(sources, "train")]
    if name == "bitext":
        return list(_bitext(sources))
    if name.startswith("cucom"):
        return list(_cucom())
    return [*_bitext(sources), *_cucom(), *(_outside(sources) if name == "outside" else ())]


def cue_of(history: Sequence[Line], text: str) -> str:
    """What tells two moments alike: the template that spoke last, and the customer's words."""
    spoken = [line.text for line in history if line.role == LineRole.ASSISTANT]
    return f"{json.loads(spoken[-1])['template']} {text}" if spoken else text


def _given(case: Case) -> Example:
    asked = case.turns[0]
    return Example(cue_of(case.history, asked.text), min(asked.templates))


def _made(case: Case) -> Example:
    asked = case.turns[0]
    return Example(asked.text, min(asked.templates), asked.slots or {}, asked.demand)


def _bitext(sources: Sources) -> Iterator[Example]:
    return map(_of_shop, bitext(sources, "train"))


def _cucom() -> Iterator[Example]:
    for row in labelled("cucom_train"):
        yield _of_shop(real(str(row["text"]), str(row["template"]), shop().pack.brand))


def _of_shop(said: Utterance) -> Example:
    slots = {slot: said.values.get(entity) for slot, entity in shop().slots[said.intent].items()}
    return Example(said.text, said.intent, slots)


def _outside(sources: Sources) -> Iterator[Example]:
    """Whatever CLINC150's people want in training, the shop does not offer it."""
    for texts in clinc(sources, "train").values():
        for text in texts:
            yield Example(text, "out_of_scope")
