"""Brands of other trades, written by hand: `grammar/trades` has each trade's lines and what its customers say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from random import Random

from backend.training.grammar import Piece, Utterance, Values, expand
from backend.training.noise import disturb
from backend.training.tables import table
from backend.training.values import FOREIGN_NUMBERS, MAKERS

PREFIX = "trade"
FEWEST = 5
WORDED = frozenset({"product", "item", "date", "place", "city", "name", "amount"})
"""What a phrase may tell in plain words, unmarked: no lesson then. A number is always marked."""
_KINDS = FOREIGN_NUMBERS | MAKERS.keys()


def matters(rng: Random, most: int | None = None) -> list[tuple[str, str]]:
    """Some or all lines of one trade: pairs of an intent (`trade/name/line`) and the line."""
    name = rng.choice(sorted(table("trades")))
    lines = list(table("trades")[name])
    count = len(lines) if rng.random() < 0.5 else rng.randint(min(FEWEST, len(lines)), len(lines))
    return [(f"{PREFIX}/{name}/{line}", line) for line in rng.sample(lines, min(count, most or count))]


@cache
def slots(intent: str) -> Mapping[str, str]:
    """The values that the customers name, each a slot of its own kind."""
    named = {name for phrase in _phrases(intent) for name in _names(phrase)}
    return {name: name for name in sorted(named & _KINDS)}


def spoken(intent: str, rng: Random) -> Utterance:
    """A message about such a matter, at times with a greeting or a word of haste."""
    macros, values = table("macros"), Values(rng)
    pieces = expand(rng.choice(_phrases(intent)), values)
    if rng.random() < 0.2:
        pieces = [*expand(rng.choice(macros["opener"]), values), Piece(rng.choice((", ", " ", ". "))), *pieces]
    if rng.random() < 0.12:
        pieces += [Piece(rng.choice((". ", ", "))), *expand(rng.choice(macros["closer"]), values)]
    said = disturb(Utterance(pieces, intent), rng)
    return replace(said, unknown=WORDED - said.values.keys())


def _names(phrase: str) -> Iterator[str]:
    """The values that a phrase may hold, those of its macros included."""
    for name in re.findall(r"{(\w+)}", phrase):
        for inner in table("macros").get(name, ()):
            yield from _names(inner)
        yield name


def _phrases(intent: str) -> list[str]:
    _, name, line = intent.split("/", 2)
    return table("trades")[name][line]
