"""What teaches the model to read a catalogue: rules, mined companies, names drawn anew, STAR's and the bank's talks."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from backend.training.bank import ASKS, BankScene, Renewal
from backend.training.bank_reply import SUBJECTS
from backend.training.catalogues import bank, foreign
from backend.training.corpora import Sources
from backend.training.evaluation.exam import parsed
from backend.training.meanings import DIMENSIONS, Meanings
from backend.training.mined import SCALE, Mined
from backend.training.speaker import Speaker
from backend.training.tokenizer import load
from backend.training.wording import line_from_note, line_from_words
from prompts import system_prompt

PLACES = 12


@pytest.fixture
def mined() -> Mined:
    """Lines at right angles, each with two messages that are its own."""
    vectors = np.eye(PLACES, 64, dtype=np.float32) * 100
    lines, voices = vectors.astype(np.int8), np.repeat(vectors, 2, axis=0).astype(np.int8)
    neighbours = np.arange(2 * PLACES, dtype=np.int32).reshape(PLACES, 2)
    return Mined(
        [f"line {at}" for at in range(PLACES)], [f"said {at}" for at in range(2 * PLACES)], lines, voices, neighbours
    )


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Hi, how do I reset my PIN please?", "reset the PIN"),
        ("my card is gone", "card is gone"),
        ("Can you send us your menu", "send them our menu"),
    ],
)
def test_a_line_tells_in_the_third_person(said: str, line: str) -> None:
    assert line_from_words(said, Random(1)).endswith(line)


def test_a_note_becomes_a_line() -> None:
    assert line_from_note("- The customer wants to return a shirt.") == "wants to return a shirt"


def test_a_catalogue_keeps_every_intent_although_their_lines_are_alike() -> None:
    intents = [(f"star/{number}", "answers: yes") for number in range(300)]
    catalogue = foreign(Random(1), intents, has_general=False)
    assert sorted(catalogue.ids) == sorted(intent for intent, _ in intents)
    assert sorted(catalogue.pack.templates) == sorted(catalogue.ids.values())


def test_a_company_gives_every_line_its_own_messages(mined: Mined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.training.mined.CANDIDATES", PLACES)
    company = mined.company(Random(3), 6)
    assert len(company) == 6
    assert company == {line: [f"said {2 * line}", f"said {2 * line + 1}"] for line in company}


def test_a_message_that_fits_two_lines_is_nobodys(mined: Mined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.training.mined.CANDIDATES", PLACES)
    mined.voice_vectors[:] = round(SCALE / 8)
    assert not any(mined.company(Random(3), 6).values())


def test_names_are_drawn_anew_for_every_catalogue() -> None:
    intents = [("pay_bill", "wants to settle a bill"), ("gas", "asks how full the tank is")]
    names = {foreign(Random(seed), intents, ["lantern", "violet", "harbour"]).ids["pay_bill"] for seed in range(60)}
    assert len(names) > 25


def test_an_examined_catalogue_keeps_its_names() -> None:
    made = foreign(Random(5), [("gas", "asks how full the tank is")], has_general=False, keeps_names=True)
    assert list(made.pack.templates) == ["gas"]
    assert system_prompt(made.pack).endswith("- gas(): asks how full the tank is")


def test_a_word_means_the_same_behind_a_blank_and_in_a_name() -> None:
    tokenizer = load(Path(__file__).parents[2] / "backend" / "starter_model")
    vectors = np.eye(2, DIMENSIONS, dtype=np.float32)
    table = Meanings(["order", "cancel"], vectors).of_pieces(tokenizer)
    encoded = tokenizer.encode("Order my order cancel_order", add_special_tokens=False)
    pieces = dict(zip(encoded.tokens, encoded.ids, strict=True))
    assert all((table[pieces[piece]] == vectors[0]).all() for piece in ("Order", "Ġorder", "_order"))
    assert not table[tokenizer.token_to_id("<|end|>")].any()


def test_the_banks_own_talks_end_where_the_pack_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.training.bank.STAR_SHARE", 0.0)
    monkeypatch.setattr("backend.training.bank.DETOURS", ("anything_else",))
    monkeypatch.setattr(
        BankScene, "_general", lambda self, label, says="": self._answered("ok", "goodbye_1", label, {})
    )
    for seed in range(30):
        turns = BankScene(bank(), Speaker(Sources(Path()), "x"), Random(seed)).dialogue()
        replies = [parsed(turn.reply, bank().pack) for turn in turns]
        assert all(replies)
        informed = [
            json.loads(turn.reply) for turn in turns if "bank_inform" in turn.reply and '"slots":{}' not in turn.reply
        ]
        said = " ".join(turn.text for turn in turns)
        assert all(value in said for reply in informed for value in reply["slots"].values() if value)


def test_the_bank_asks_for_what_its_pack_holds() -> None:
    assert set(ASKS) <= set(bank().pack.templates)
    assert set(SUBJECTS) == {"bank_balance", "bank_fraud_report"}


def test_a_talk_gets_other_names_and_numbers_the_same_throughout() -> None:
    fresh = Renewal({"full_name": "Jane Doe", "account_number": "12345678"}, Random(1))
    first, second = fresh("I am Jane, 12345678"), fresh("jane 12345678 on 01/02/1990")
    assert "Jane" not in first and "12345678" not in first
    assert first.split(", ")[1] == second.split()[1]
    assert second.endswith("01/02/1990")
