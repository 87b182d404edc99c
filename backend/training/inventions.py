"""Invented brands: every template is a matter and a thing, and only the catalogue tells which name they have."""

from random import Random

from backend.training.grammar import Piece, Utterance
from backend.training.noise import disturb
from backend.training.tables import table, words
from backend.training.values import NOUNS, word

COUNTS = (4, 26)
PREFIX = "invented"
_THINGS = words("things")


def matters(rng: Random) -> list[tuple[str, str]]:
    """Pairs of an intent (`invented/matter/thing`) and its line. Neighbours share one of them."""
    table_ = table("inventions")
    things = [_thing(rng) for _ in range(rng.randint(3, 12))]
    wanted = rng.randint(*COUNTS)
    chosen = sorted({(rng.choice(list(table_)), rng.choice(things)) for _ in range(wanted)})
    return [(f"{PREFIX}/{matter}/{thing}", _line(rng, matter, thing)) for matter, thing in chosen]


def _line(rng: Random, matter: str, thing: str) -> str:
    """A line of the catalogue, at times with a second matter beside it or an example behind it."""
    table_ = table("inventions")
    line = rng.choice(table_[matter]["when"]).format(x=thing)
    kind = rng.random()
    if kind < 0.12:
        other = rng.choice(table_[rng.choice(list(table_))]["when"]).format(x=_thing(rng))
        return f"{line} or {other}" if rng.random() < 0.5 else f"{other} or {line}"
    if kind < 0.2:
        return f"{line}, such as: {rng.choice(table_[matter]['says']).format(x=thing)}"
    return line


def spoken(intent: str, rng: Random) -> Utterance:
    """A message about such a matter."""
    _, matter, thing = intent.split("/", 2)
    phrase = rng.choice(table("inventions")[matter]["says"])
    macros = table("macros")
    before = rng.choice(macros["opener"]).format(name="", shopword="all") + ", " if rng.random() < 0.15 else ""
    after = (
        rng.choice((" please", " thanks", ", it's urgent", " today", " again", " for tomorrow"))
        if rng.random() < 0.2
        else ""
    )
    return disturb(Utterance([Piece(before + phrase.format(x=thing) + after)], intent), rng)


def _thing(rng: Random) -> str:
    """A known thing, an unknown one, or two words."""
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(_THINGS)
    if kind < 0.6:
        return rng.choice(NOUNS)
    if kind < 0.8:
        return word(rng)
    return f"{word(rng) if rng.random() < 0.5 else rng.choice(NOUNS)} {rng.choice(_THINGS)}"
