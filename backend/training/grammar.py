"""Phrases with choices, macros and open values, expanded to utterances that know where their values stand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from backend.training.tables import table
from backend.training.values import made

ENTITY = {"account": "account_type"}
_PART = re.compile(r"\{(\w+)\}|([^{}]+)")


@dataclass(frozen=True)
class Piece:
    """A stretch of text; `entity` names the value that it is, if any (`order_id`, `product`, ...)."""

    text: str
    entity: str | None = None


@dataclass
class Utterance:
    """One message: its pieces, and what it means. `values` is read from the pieces, after any noise.

    `unknown` names the entities that nobody labelled: the model learns nothing about them from this message.
    `source` is the real message that it was made from, if any.
    """

    pieces: list[Piece]
    intent: str
    unknown: frozenset[str] = field(default_factory=frozenset)
    source: str = ""

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def values(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for piece in self.pieces:
            if piece.entity:
                found.setdefault(piece.entity, piece.text)
        return found


class Values:
    """The open values of one message: each is drawn once, so that a number said twice is the same number."""

    def __init__(self, rng: Random, known: Mapping[str, str] | None = None) -> None:
        self.rng = rng
        self.drawn: dict[str, str] = dict(known or {})

    def get(self, name: str) -> str:
        if name not in self.drawn:
            self.drawn[name] = made(name.rstrip("2"), self.rng)
        return self.drawn[name]


def expand(phrase: str, values: Values) -> list[Piece]:
    """A phrase's choices made, its macros and values filled in."""
    rng = values.rng
    pieces: list[Piece] = []
    for match in _PART.finditer(choose(phrase, rng)):
        name, text = match.groups()
        if text is not None:
            pieces += _joined(pieces, text)
        elif name in table("macros"):
            pieces += expand(rng.choice(table("macros")[name]), values)
        else:
            entity = ENTITY.get(name, name)
            pieces.append(Piece(values.get(name), None if entity.endswith("2") else entity))
    return pieces


def _joined(pieces: list[Piece], text: str) -> list[Piece]:
    """Plain text behind `pieces`; a plural's s belongs to the product before it."""
    if pieces and pieces[-1].entity == "product" and re.match(r"s(?![a-z])", text):
        pieces[-1] = Piece(pieces[-1].text + "s", "product")
        text = text[1:]
    return [Piece(text)] if text else []


def choose(phrase: str, rng: Random) -> str:
    """`(a|b|)` groups resolved, innermost first; a macro stays."""
    while "(" in phrase:
        close = phrase.index(")")
        start = phrase.rindex("(", 0, close)
        group = phrase[start + 1 : close]
        phrase = (
            phrase[:start] + (rng.choice(group.split("|")) if "|" in group else f"\0{group}\1") + phrase[close + 1 :]
        )
    return phrase.replace("\0", "(").replace("\1", ")")
