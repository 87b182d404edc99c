"""Talks with the demo bank, STAR's and our own, and with the other services of STAR."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from random import Random

from backend.training.bank_reply import GENERAL, SUBJECTS
from backend.training.catalogues import Catalogue, foreign
from backend.training.corpora import Sources
from backend.training.dialogues import Turn
from backend.training.grammar import Piece, Utterance, Values, expand
from backend.training.noise import disturb
from backend.training.speaker import Speaker
from backend.training.star import StarTalk, StarTurn, other_talks, star_talks, templates_of
from backend.training.tables import table
from backend.training.targets import HANDOFF_REASONS, REASONS, demand, sentiment
from backend.training.values import MONTHS, NAMES, digits, name, word
from prompts import ActionReason, compact, prompt_form

STAR_SHARE, NOISE = 0.7, 0.4
_LONG_NUMBER = re.compile(r"(?<![/\d.-])\d{4,}")


@dataclass(frozen=True)
class BankScene:
    """The demo bank's catalogue and its customers."""

    catalogue: Catalogue
    speaker: Speaker
    rng: Random

    def dialogue(self) -> list[Turn]:
        """A talk of STAR with fresh names and numbers, or one of our own."""
        if self.rng.random() < STAR_SHARE:
            talk = self.rng.choice(_bank_talks(self.speaker.sources))
            return self._starred(talk, Renewal(talk.turns[-1].known, self.rng))
        return self._own()

    def _starred(self, talk: StarTalk, fresh: "Renewal") -> list[Turn]:
        """The wizard's values count where the customer wrote them so; of the others nobody knows what is right."""
        said, turns = "", []
        for turn in talk.turns:
            text = self._typed(fresh(turn.text))
            said += f"\n{text}"
            known = {key: fresh(value) for key, value in turn.known.items()}
            written = {key: value for key, value in known.items() if value in said}
            made = self._answered(text, templates_of(turn)[0], turn.task, written)
            turns.append(replace(made, hidden=frozenset(known) - frozenset(written)))
        return turns

    def _typed(self, text: str) -> str:
        """Now and then typed otherwise: few talks have to teach much."""
        if self.rng.random() > NOISE or "\n" in text:
            return text
        return disturb(Utterance([Piece(text)], ""), self.rng).text

    def _own(self) -> list[Turn]:
        """The way to a balance or a report as the pack has it, with detours."""
        rng = self.rng
        task = rng.choice(list(SUBJECTS))
        values = Values(rng, {})
        data = _identity(rng)
        turns: list[Turn] = []
        if rng.random() < 0.12:
            turns.append(self._general(rng.choice(("hello", "hello", "clarify"))))
        phrases = table("bank")
        told = rng.random() < 0.35
        given: dict[str, str] = {}
        text = self._said(phrases["ask_balance" if task == "bank_balance" else "ask_fraud"], values, data).text
        if rng.random() < 0.12:
            told_name = self._said(phrases["full_name"], values, data)
            given, text = dict(told_name.values), f"{told_name.text}. {text}"
        if task == "bank_fraud_report" and told:
            text = f"{text}. {self._said(phrases['details'], values, data).text}"
        steps = self._steps(task, given, told)
        turns.append(self._answered(text, steps[0], task, given))
        for before, step in pairwise(steps):
            if rng.random() < 0.06:
                turns.append(self._general(rng.choice(DETOURS)))
                if turns[-1].intent.startswith(("handoff", "contact")):
                    return turns
            said = self._reaction(before, step, values, data)
            given |= {key: value for key, value in said.values.items() if key in data}
            turns.append(self._answered(said.text, step, task, dict(given)))
        if rng.random() < 0.5:
            turns.append(self._general("anything_else"))
            turns.append(self._general("goodbye_1", says=rng.choice(("goodbye", "goodbye", "thanks"))))
        while rng.random() < 0.3:
            turns.append(self._general(rng.choice(DETOURS)))
        return turns

    def _steps(self, task: str, given: Mapping[str, str], told: bool) -> list[str]:
        """The templates that follow one another."""
        rng = self.rng
        steps = [] if given else ["ask_name"]
        informed = "bank_inform_balance" if task == "bank_balance" else "bank_inform_fraud_report_submitted"
        details = ["bank_ask_fraud_details"] if task == "bank_fraud_report" and not told else []
        steps.append("bank_ask_account_number")
        way = rng.random()
        if way < 0.5:
            return [*steps, "bank_ask_pin", *details, informed]
        if way < 0.62:
            steps.append("bank_ask_pin")
        answers = ["bank_ask_dob", "bank_ask_mothers_maiden_name", "bank_ask_childhood_pets_name"]
        if way > 0.86:
            return [*steps, *answers[: rng.randint(1, 3)], "bank_inform_cannot_authenticate"]
        by_answers = {
            "bank_inform_balance": "bank_inform_balance_by_answers",
            "bank_inform_fraud_report_submitted": "bank_inform_fraud_report_by_answers",
        }[informed]
        return [*steps, *answers, *details, by_answers]

    def _reaction(self, asked: str, then: str, values: Values, data: Mapping[str, str]) -> Utterance:
        """What the customer says to `asked` so that `then` is right."""
        phrases = table("bank")
        slot = ASKS.get(asked)
        if slot is None:
            return self._said(phrases["details"], values, data)
        if then == "bank_inform_cannot_authenticate" or (then == "bank_ask_dob" and slot != "full_name"):
            said = self._said(phrases["unknown"], values, data)
            return Utterance([Piece(said.text)], "")
        return self._said(phrases[slot], values, data)

    def _said(self, phrases: Sequence[str], values: Values, data: Mapping[str, str]) -> Utterance:
        """One phrase, with the customer's data in it, typed as people do."""
        held = Values(self.rng, {**values.drawn, **data})
        return disturb(Utterance(expand(self.rng.choice(phrases), held), ""), self.rng)

    def _general(self, label: str, says: str = "") -> Turn:
        """What every brand hears: a greeting, thanks, a wish for a person, nonsense."""
        said = self.speaker.say(says or GENERAL.get(label, label), self.rng)
        return self._answered(said.text, self.catalogue.ids.get(label, label), label, {})

    def _answered(self, text: str, label: str, task: str, known: Mapping[str, str]) -> Turn:
        text = prompt_form(text) if "\n" not in text else text
        template = self.catalogue.pack.templates[label]
        slots = {slot.name: known.get(slot.name) for slot in template.asked}
        intent = GENERAL.get(label, task if task.startswith("handoff") else label)
        general = REASONS | HANDOFF_REASONS
        reason = general.get(intent, ActionReason.MISSING_DETAIL if "_ask_" in f"_{label}" else ActionReason.ANSWERED)
        line = SUBJECTS.get(task) if intent not in general else None
        reply = {
            "action": template.action.value,
            "template": label,
            "slots": slots,
            "demand": line or demand(intent, {}, template.when),
            "sentiment": sentiment(intent, text).value,
            "action_reason": reason.value,
        }
        return Turn(text, compact(reply), frozenset(), intent)


ASKS = {
    "ask_name": "full_name",
    "bank_ask_account_number": "account_number",
    "bank_ask_pin": "pin",
    "bank_ask_dob": "date_of_birth",
    "bank_ask_mothers_maiden_name": "maiden_name",
    "bank_ask_childhood_pets_name": "pet_name",
}
DETOURS = (
    "out_of_scope",
    "out_of_scope",
    "clarify",
    "other_language",
    "contact_human_agent",
    "handoff_anger",
    "handoff_legal",
    "handoff_threat",
)


@dataclass(frozen=True)
class StarScene:
    """Another service of STAR: its replies' texts are the catalogue's lines."""

    catalogue: Catalogue
    talks: Sequence[StarTalk]
    rng: Random

    @staticmethod
    def of(rng: Random, speaker: Speaker) -> "StarScene":
        tasks = _other_tasks(speaker.sources)
        task = rng.choice(sorted(tasks))
        talks, texts = tasks[task]
        shape = rng.choice(("says: {}", "{}", "answers: {}", "time to say: {}"))
        intents = [(f"star/{label}", shape.format(text)) for label, text in texts.items()]
        return StarScene(foreign(rng, intents, speaker.dictionary, has_general=False), talks, rng)

    def dialogue(self) -> list[Turn]:
        talk = self.rng.choice(self.talks)
        fresh = Renewal(talk.turns[-1].known, self.rng)
        return [self._answered(turn, fresh) for turn in talk.turns]

    def _answered(self, turn: StarTurn, fresh: "Renewal") -> Turn:
        template, text = self.catalogue.template(f"star/{turn.label}"), fresh(turn.text)
        slots = {slot.name: None for slot in template.asked}
        reply = {
            "action": template.action.value,
            "template": template.id,
            "slots": slots,
            "demand": demand("", {}, template.when),
            "sentiment": sentiment("", text).value,
            "action_reason": ActionReason.ANSWERED.value,
        }
        return Turn(text, compact(reply), frozenset(slots), turn.label)


class Renewal:
    """Other names and numbers in the place of a talk's, the same ones throughout."""

    def __init__(self, known: Mapping[str, str], rng: Random) -> None:
        self.rng, self.numbers = rng, dict[str, str]()
        parts = {part for key, value in known.items() if key.endswith("name") for part in value.split()}
        self.names = {part.lower(): _any_name(rng) for part in sorted(parts) if len(part) > 2 and part.isalpha()}
        self.pattern = (
            re.compile(rf"\b({'|'.join(map(re.escape, self.names))})\b", re.IGNORECASE) if self.names else None
        )

    def __call__(self, text: str) -> str:
        text = _LONG_NUMBER.sub(self._number, text)
        return self.pattern.sub(lambda match: self.names[match[0].lower()], text) if self.pattern else text

    def _number(self, match: re.Match[str]) -> str:
        length = len(match[0])
        return self.numbers.setdefault(match[0], digits(self.rng, length, length))


def _any_name(rng: Random) -> str:
    return (rng.choice(NAMES) if rng.random() < 0.5 else word(rng)).capitalize()


def _identity(rng: Random) -> dict[str, str]:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1930, 2006)
    born = rng.choice(
        (
            f"{MONTHS[month - 1]} {day}, {year}",
            f"{day} {MONTHS[month - 1]} {year}",
            f"{month:02}/{day:02}/{year % 100:02}",
            f"{month}/{day}/{year}",
            f"{day}.{month}.{year}",
            f"{year}-{month:02}-{day:02}",
            f"{MONTHS[month - 1][:3]} {day} {year}",
        )
    )
    return {
        "full_name": f"{_any_name(rng)} {_any_name(rng)}" if rng.random() < 0.9 else name(rng),
        "account_number": digits(rng, 6, 12),
        "pin": digits(rng, 4, 6 if rng.random() < 0.2 else 4),
        "date_of_birth": born,
        "maiden_name": _any_name(rng),
        "pet_name": _any_name(rng),
    }


@cache
def _bank_talks(sources: Sources) -> list[StarTalk]:
    return star_talks(sources, "train")


@cache
def _other_tasks(sources: Sources) -> dict[str, tuple[list[StarTalk], dict[str, str]]]:
    """Talks by task, and the usual text of each label of the task."""
    by_task: dict[str, list[StarTalk]] = {}
    for talk in other_talks(sources):
        by_task.setdefault(min(talk.tasks), []).append(talk)
    return {task: (talks, _texts(talks)) for task, talks in by_task.items() if len(talks) > 10}


def _texts(talks: Sequence[StarTalk]) -> dict[str, str]:
    said: dict[str, Counter[str]] = {}
    for talk in talks:
        for turn in talk.turns:
            said.setdefault(turn.label, Counter())[" ".join(turn.said.split())] += 1
    return {label: texts.most_common(1)[0][0] for label, texts in said.items()}
