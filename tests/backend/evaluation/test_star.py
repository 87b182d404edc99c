"""STAR's dialogues as cases, from a file as the set has them."""

import json
import lzma
from pathlib import Path

import pytest

from backend.training.corpora import Sources
from backend.training.evaluation.star import bank_cases, other_cases
from backend.training.star import held_out
from prompts import LineRole, assemble, reply_schema

Event = dict[str, object]


def customer(text: str) -> Event:
    return {"Agent": "User", "Action": "utter", "Text": text}


def picks(label: str, text: str = "...") -> Event:
    return {"Agent": "Wizard", "Action": "pick_suggestion", "ActionLabel": label, "Text": text}


def types(text: str) -> Event:
    return {"Agent": "Wizard", "Action": "utter", "Text": text}


def queries(**constraints: str) -> Event:
    told = [{name: json.dumps(value)} for name, value in constraints.items()]
    return {"Agent": "Wizard", "Action": "query", "APIName": "bank_balance", "Constraints": told}


def returns(item: object) -> Event:
    return {"Agent": "KnowledgeBase", "Action": "return_item", "Item": item}


BALANCE = [
    customer("What is my balance?"),
    picks("ask_name"),
    customer("Max Müller"),
    types("One moment."),
    customer("ok, my number is 8812, PIN 1234"),
    queries(FullName="Max Müller", AccountNumber="8812", PIN="1234"),
    returns({"Message": "could not authenticate"}),
    picks("bank_inform_cannot_authenticate"),
]


def sources(folder: Path, *dialogues: tuple[int, str, list[Event]]) -> Sources:
    (folder / "star").mkdir()
    with lzma.open(folder / "star" / "dialogues.jsonl.xz", "wt", encoding="utf-8") as file:
        for number, task, events in dialogues:
            scenario = {"WizardCapabilities": [{"Task": task}]}
            told = {"DialogueID": number, "CompletionLevel": "Complete", "Scenario": scenario, "Events": events}
            file.write(json.dumps(told) + "\n")
    return Sources(folder)


TEST, TRAIN = (next(n for n in range(1000) if held_out(str(n)) is wanted) for wanted in (True, False))


def test_a_pick_is_asked_with_what_was_said_before(tmp_path: Path) -> None:
    first, second = bank_cases(sources(tmp_path, (TEST, "bank_balance", BALANCE)))
    assert (first.turns[0].text, first.turns[0].templates, first.history) == (
        "What is my balance?",
        frozenset({"ask_name"}),
        (),
    )
    assert [line.role for line in second.history] == [
        LineRole.CUSTOMER,
        LineRole.ASSISTANT,
        LineRole.CUSTOMER,
        LineRole.AGENT,
    ]
    assert json.loads(second.history[1].text)["template"] == "ask_name"
    assert assemble(second.pack, second.history)[-1]["content"] == "Max Müller\n[agent] One moment."


def test_a_refusal_of_the_book_may_be_left_to_the_lookup(tmp_path: Path) -> None:
    second = bank_cases(sources(tmp_path, (TEST, "bank_balance", BALANCE)))[1]
    ways = {"bank_inform_balance", "bank_inform_balance_by_answers"}
    assert second.turns[0].templates == {*ways, "bank_inform_cannot_authenticate"}


def test_the_reply_in_the_history_is_lawful_and_holds_only_what_was_said(tmp_path: Path) -> None:
    events = [
        customer("my number is 8812"),
        queries(AccountNumber="8812", PIN="1234"),
        picks("bank_inform_balance"),
        customer("thanks"),
        picks("goodbye_1"),
    ]
    case = bank_cases(sources(tmp_path, (TEST, "bank_balance", events)))[1]
    reply = json.loads(case.history[1].text)
    assert reply["slots"] == {"full_name": None, "account_number": "8812", "pin": None}
    branch = next(branch for branch in reply_schema(case.pack)["anyOf"] if reply["template"] in json.dumps(branch))
    assert list(reply) == branch["required"]


@pytest.mark.parametrize(("part", "number"), [("test", TEST), ("train", TRAIN)])
def test_a_dialogue_is_in_one_part_only(tmp_path: Path, part: str, number: int) -> None:
    both = sources(tmp_path, (TEST, "bank_balance", BALANCE), (TRAIN, "bank_balance", BALANCE[2:]))
    assert {case.turns[0].text for case in bank_cases(both, part)} == {
        turn["Text"] for turn in (BALANCE if number == TEST else BALANCE[2:]) if turn["Agent"] == "User"
    } - {"Max Müller"}


def test_a_training_dialogue_that_opens_like_a_held_out_one_is_left_out(tmp_path: Path) -> None:
    twin = [customer("what is my balance"), *BALANCE[1:]]
    assert bank_cases(sources(tmp_path, (TEST, "bank_balance", BALANCE), (TRAIN, "bank_balance", twin)), "train") == []


def test_other_services_have_a_catalogue_of_their_wizards_words(tmp_path: Path) -> None:
    ride = [customer("I need a ride"), picks("ride_ask_destination", "Where to?"), customer("bye"), picks("rare")]
    trains = [n for n in range(1000) if not held_out(str(n))][:6]
    told = [(number, "ride_book", ride[:2] if at else ride) for at, number in enumerate(trains)]
    [case] = other_cases(sources(tmp_path, *told, (TEST, "ride_book", ride)))
    assert [template.id for template in case.pack.offered] == ["ride_ask_destination"]
    assert case.pack.templates["ride_ask_destination"].when == "says: Where to?"
    assert case.turns[0].templates == {"ride_ask_destination"}
