"""Conversations that were written down turn by turn (`labels/conversations.jsonl`), told anew with other values."""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from backend.training.corpora import labelled
from backend.training.grammar import Piece, Utterance
from backend.training.noise import disturb
from backend.training.values import MAKERS, WEEKDAYS, account_type

RENEWED = {
    "order_id": 0.95,
    "email": 0.9,
    "amount": 0.7,
    "city": 0.6,
    "name": 0.6,
    "date": 0.5,
    "product": 0.45,
    "account_type": 0.3,
}
"""How often a value of each kind is another than was written: a product's own words are mostly about it."""
DISTURBED, LED_ON = 0.35, 0.25
KEEPS_SHAPE = 0.7
"""How many of the new order numbers look like the written one and, where two are alike, like each other."""

Known = Mapping[str, str | None]
"""What counts in a turn, by kind; None: the customer has not given it; missing: nobody says."""
Fresh = dict[str, tuple[str, str]]
"""What stands now for each value of a conversation, in small letters, and its kind."""


@dataclass(frozen=True)
class Line:
    """One message as it was written, its intent, and the values as the label has them."""

    text: str
    intent: str
    known: Known


@cache
def written() -> Sequence[Sequence[Line]]:
    """Every conversation."""
    return [[_line(turn) for turn in row["turns"]] for row in labelled("conversations")]


def _line(turn: Mapping[str, object]) -> Line:
    template, slots = str(turn["template"]), turn.get("slots", {})
    assert isinstance(slots, dict)
    return Line(str(turn["text"]), f"{template}_{turn['reason']}" if template == "handoff" else template, slots)


def told_anew(rng: Random) -> Iterator[tuple[Utterance, Known]]:
    """A conversation with fresh values, at times led on to another: what it was about before may count there or not."""
    first = rng.choice(written())
    yield from _renewed(first[: rng.randint(1, len(first))] if rng.random() < LED_ON else first, rng)
    if rng.random() < LED_ON:
        for said, known in _renewed(rng.choice(written()), rng):
            yield said, {kind: value for kind, value in known.items() if value is not None}


def _renewed(lines: Sequence[Line], rng: Random) -> Iterator[tuple[Utterance, Known]]:
    fresh = _fresh(lines, rng)
    marks = "|".join(_whole(value) for value in sorted(fresh, key=len, reverse=True))
    typed: dict[str, str] = {}
    for line in lines:
        parts = re.split(f"({marks})", line.text, flags=re.IGNORECASE) if marks else [line.text]
        pieces = [Piece(*fresh[part.lower()]) if part.lower() in fresh else Piece(part) for part in parts if part]
        said = Utterance(pieces, line.intent, unknown=frozenset(RENEWED), source=line.text)
        if rng.random() < DISTURBED:
            said = disturb(said, rng)
        typed |= {piece.text.lower(): piece.text for piece in said.pieces if piece.entity}
        yield said, dict(_as_typed(line.known, fresh, typed))


def _as_typed(known: Known, fresh: Fresh, typed: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """The values of a label as they stand in the messages now; one that stands nowhere is left out."""
    for kind, value in known.items():
        if value is None:
            yield kind, None
        elif (now := fresh[value.lower()][0].lower()) in typed:
            yield kind, typed[now]


def _fresh(lines: Sequence[Line], rng: Random) -> Fresh:
    """One that is part of another stays, as does the other."""
    kinds = {value.lower(): (value, kind) for line in lines for kind, value in line.known.items() if value is not None}
    fresh, code = {}, _code(rng)
    for key, (value, kind) in kinds.items():
        is_apart = not any(key != other and (key in other or other in key) for other in kinds)
        fresh[key] = (_made(kind, value, rng, code) if is_apart and rng.random() < RENEWED[kind] else value, kind)
    return fresh


def _code(rng: Random) -> dict[int, int]:
    """Another digit for each digit and another letter for each letter."""
    digits, letters = ("".join(rng.sample(each, len(each))) for each in (string.digits, string.ascii_lowercase))
    return str.maketrans(string.digits + string.ascii_letters, digits + letters + letters.upper())


def _made(kind: str, value: str, rng: Random, code: Mapping[int, int]) -> str:
    if kind == "order_id" and rng.random() < KEEPS_SHAPE:
        return value.translate(code)
    if value.capitalize() in WEEKDAYS:
        day = rng.choice(WEEKDAYS)
        return day if value[0].isupper() else day.lower()
    return account_type(rng) if kind == "account_type" else MAKERS[kind](rng)


def _whole(value: str) -> str:
    """A pattern for the value where it is no part of a longer word."""
    return rf"(?<!\w){re.escape(value)}(?!\w)" if value[0].isalnum() and value[-1].isalnum() else re.escape(value)
