"""STAR: people and a human wizard who picks the next reply's template. The bank's talks are held out by dialogue."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.training.corpora import Sources
from prompts import Line, LineRole, prompt_form

BANK_TASKS = frozenset({"bank_balance", "bank_fraud_report"})
BANK_LABELS = frozenset(
    {
        "hello",
        "ask_name",
        "bank_ask_account_number",
        "bank_ask_pin",
        "bank_ask_dob",
        "bank_ask_mothers_maiden_name",
        "bank_ask_childhood_pets_name",
        "bank_ask_fraud_details",
        "bank_inform_balance",
        "bank_inform_cannot_authenticate",
        "bank_inform_fraud_report_submitted",
        "bank_inform_nothing_found",
        "anything_else",
        "goodbye_1",
        "out_of_scope",
    }
)
SKIPPED = frozenset({"trivia", "spaceship_access_codes", "spaceship_life_support", "trip_directions", "weather"})
TEST_ONE_IN = 5
# What a query was told, and the slot of the bank's pack that holds it.
CONSTRAINTS = {
    "FullName": "full_name",
    "AccountNumber": "account_number",
    "PIN": "pin",
    "DateOfBirth": "date_of_birth",
    "SecurityAnswer1": "maiden_name",
    "SecurityAnswer2": "pet_name",
}
BY_ANSWERS = {
    "bank_inform_balance": "bank_inform_balance_by_answers",
    "bank_inform_fraud_report_submitted": "bank_inform_fraud_report_by_answers",
}


@dataclass(frozen=True)
class StarTurn:
    """What was said since the wizard's last pick, and his pick.

    `lines` are the customer's, and an agent's where the wizard typed himself or picked what the pack does not hold.
    `said` is the pick's text, `known` is what his queries named so far. `was_refused`: a query since the last pick
    found nothing.
    """

    task: str
    lines: tuple[Line, ...]
    label: str
    said: str
    known: Mapping[str, str]
    was_refused: bool

    @property
    def text(self) -> str:
        """The user message, as `prompts.assemble` builds it."""
        return "\n".join(
            line.text if line.role is LineRole.CUSTOMER else f"[{line.role}] {prompt_form(line.text)}"
            for line in self.lines
        )


@dataclass(frozen=True)
class StarTalk:
    """One dialogue."""

    id: str
    tasks: frozenset[str]
    turns: list[StarTurn]


def held_out(dialogue: str) -> bool:
    """True if a dialogue belongs to the test part: one in TEST_ONE_IN, by the hash of its id."""
    return int(hashlib.sha256(dialogue.encode()).hexdigest(), 16) % TEST_ONE_IN == 0


def star_talks(sources: Sources, part: str) -> list[StarTalk]:
    """Complete dialogues with a bank's task; `part` is train or test.

    A training dialogue whose first message is, letter by letter, a held-out one's is left out.
    """
    talks = [talk for talk in _talks(sources, BANK_LABELS) if talk.tasks & BANK_TASKS]
    test = [talk for talk in talks if held_out(talk.id)]
    if part == "test":
        return test
    openings = {_opening(talk) for talk in test}
    return [talk for talk in talks if not held_out(talk.id) and _opening(talk) not in openings]


def other_talks(sources: Sources, part: str = "train") -> list[StarTalk]:
    """Dialogues of one other service task, with all that the wizard picked; `part` is train or test."""
    return [
        talk
        for talk in _talks(sources, None)
        if not talk.tasks & BANK_TASKS and len(talk.tasks) == 1 and held_out(talk.id) is (part == "test")
    ]


def templates_of(turn: StarTurn) -> tuple[str, ...]:
    """The templates of the bank's pack that are right for a turn, the likeliest first.

    In the product the lookup's outcome decides whether a refusal is spoken: after a refused query both are right.
    """
    label = turn.label
    if label == "bank_inform_cannot_authenticate" and turn.was_refused:
        informed = "bank_inform_balance" if turn.task == "bank_balance" else "bank_inform_fraud_report_submitted"
        return (_by_path(informed, turn.known), label)
    if label == "bank_inform_nothing_found":
        label = "bank_inform_cannot_authenticate"
    return (_by_path(label, turn.known),)


def _by_path(label: str, known: Mapping[str, str]) -> str:
    """The pack tells a reply after account number and PIN from one after the three answers."""
    has_pin = "pin" in known and "account_number" in known
    return BY_ANSWERS[label] if label in BY_ANSWERS and not has_pin and "date_of_birth" in known else label


def _talks(sources: Sources, labels: frozenset[str] | None) -> Iterator[StarTalk]:
    for line in sources.read("star/dialogues.jsonl.xz").splitlines():
        dialogue = json.loads(line)
        tasks = [str(task["Task"]) for task in dialogue["Scenario"]["WizardCapabilities"]]
        if dialogue["CompletionLevel"] == "Complete" and not SKIPPED.issuperset(tasks):
            turns = _turns(dialogue["Events"], tasks, labels)
            if turns:
                yield StarTalk(str(dialogue["DialogueID"]), frozenset(tasks), turns)


def _turns(events: list[dict[str, object]], tasks: list[str], labels: frozenset[str] | None) -> list[StarTurn]:
    """One turn a pick that answers words of the customer and is one of `labels` (None: any)."""
    task, lines, waiting, refused = tasks[0], [], False, False
    known: dict[str, str] = {}
    turns: list[StarTurn] = []
    for event in events:
        who, what, text = event["Agent"], event["Action"], str(event.get("Text"))
        if who == "User" and what == "utter":
            lines.append(Line(LineRole.CUSTOMER, prompt_form(text)))
            waiting = True
        elif what == "select_task":
            task = str(event.get("Task") or task)
        elif what == "query":
            task = str(event["APIName"]) if event["APIName"] in tasks else task
            known |= _constraints(event)
        elif what == "return_item":
            refused = "authenticate" in json.dumps(event.get("Item")) or event.get("Item") is None
        elif who == "Wizard" and what in ("pick_suggestion", "utter"):
            label = str(event.get("ActionLabel") or "")
            if waiting and label and (labels is None or label in labels):
                turns.append(StarTurn(task, tuple(lines), label, text, dict(known), refused))
                lines, refused = [], False
            else:
                lines.append(Line(LineRole.AGENT, text))
            waiting = False
    return turns


def _constraints(event: Mapping[str, object]) -> dict[str, str]:
    """What a query named, as the bank's slots."""
    found: dict[str, str] = {}
    constraints = event.get("Constraints")
    for constraint in constraints if isinstance(constraints, list) else []:
        for name, value in constraint.items():
            if name in CONSTRAINTS:
                found[CONSTRAINTS[name]] = str(_literal(str(value)))
    return found


def _literal(value: str) -> object:
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _opening(talk: StarTalk) -> str:
    return "".join(c for c in talk.turns[0].lines[0].text.lower() if c.isalpha())
