"""How people really type: case, punctuation, typos, short forms. Values keep their letters, not their case."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from backend.training.grammar import Piece, Utterance

SHORT = {
    "you": "u",
    "your": "ur",
    "are": "r",
    "please": "pls",
    "thanks": "thx",
    "because": "cuz",
    "received": "recvd",
    "have": "hv",
    "what": "wat",
    "and": "n",
    "the": "d",
    "with": "wid",
    "not": "nt",
    "to": "2",
    "for": "4",
    "order": "ordr",
    "my": "me",
    "delivered": "delivrd",
    "going": "goin",
    "been": "bin",
    "that": "dat",
    "this": "dis",
    "about": "abt",
    "yesterday": "yest",
    "message": "msg",
    "don't": "dont",
    "didn't": "didnt",
    "haven't": "havent",
    "hasn't": "hasnt",
    "can't": "cant",
    "doesn't": "doesnt",
    "i'm": "im",
    "it's": "its",
    "isn't": "isnt",
    "won't": "wont",
    "cancelled": "canceled",
    "colour": "color",
    "want to": "wanna",
    "refund": "refnd",
    "package": "pkg",
}
_WORD = re.compile(r"[A-Za-z']+")
_NEAR = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuiopqsdfghjklaxcvbnmz", strict=True))
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")


def tidy(pieces: list[Piece]) -> list[Piece]:
    """Blanks before punctuation gone, neighbouring plain pieces joined."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and not piece.entity and not joined[-1].entity:
            joined[-1] = Piece(joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return [
        piece if piece.entity else Piece(re.sub(r" +", " ", re.sub(r" +([.,:!?])", r"\1", piece.text)))
        for piece in joined
    ]


def disturb(said: Utterance, rng: Random) -> Utterance:
    """The message as somebody might have typed it."""
    pieces = tidy(said.pieces)
    style = rng.random()
    if style < 0.42:
        pieces = _proper(pieces, rng)
    elif style < 0.5:
        pieces = _all(pieces, str.upper) if rng.random() < 0.35 else _shout(pieces, rng)
    elif style < 0.6:
        pieces = _all(pieces, str.lower)
    if rng.random() < 0.25:
        pieces = _plain(pieces, lambda text: _misspell(text, rng))
    if rng.random() < 0.14:
        pieces = _plain(pieces, lambda text: _shorten(text, rng))
    if rng.random() < 0.2:
        pieces = _plain(pieces, lambda text: _APOSTROPHE.sub("", text))
    return replace(said, pieces=_ended(pieces, rng))


def _plain(pieces: list[Piece], change: Callable[[str], str]) -> list[Piece]:
    return [piece if piece.entity else Piece(change(piece.text)) for piece in pieces]


def _all(pieces: list[Piece], change: Callable[[str], str]) -> list[Piece]:
    return [Piece(change(piece.text), piece.entity) for piece in pieces]


def _proper(pieces: list[Piece], rng: Random) -> list[Piece]:
    """Sentence case, "I", and a full stop more often than not."""
    pieces = _plain(pieces, lambda text: re.sub(r"\bi\b", "I", text))
    pieces = _plain(pieces, lambda text: re.sub(r"([.!?] +)([a-z])", lambda m: m[1] + m[2].upper(), text))
    if pieces and not pieces[0].entity:
        pieces[0] = Piece(pieces[0].text[:1].upper() + pieces[0].text[1:])
    last = pieces[-1].text.rstrip() if pieces else ""
    if last and last[-1] not in ".!?" and rng.random() < 0.65:
        pieces.append(Piece("?" if _asks(pieces) else "."))
    return pieces


def _asks(pieces: list[Piece]) -> bool:
    text = "".join(piece.text for piece in pieces).lower()
    return bool(
        re.match(
            r"(hi |hello |hey )?(can|could|how|where|when|what|which|is|are|do|does|did|why|who|may|will|has|have you)"
            r"\b",
            text,
        )
    )


def _shout(pieces: list[Piece], rng: Random) -> list[Piece]:
    """A word or two in capitals."""
    return _plain(pieces, lambda text: _WORD.sub(lambda m: m[0].upper() if rng.random() < 0.25 else m[0], text))


def _misspell(text: str, rng: Random) -> str:
    """About one typo in twelve words."""
    return _WORD.sub(lambda m: _typo(m[0], rng) if rng.random() < 0.12 and len(m[0]) > 3 else m[0], text)


def _typo(word: str, rng: Random) -> str:
    """A letter swapped, dropped, doubled or hit beside; or the blank before it forgotten."""
    at = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.35:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.65:
        return word[:at] + word[at + 1 :]
    if kind < 0.85:
        return word[:at] + word[at] + word[at:]
    return word[:at] + _NEAR.get(word[at].lower(), word[at]) + word[at + 1 :]


def _shorten(text: str, rng: Random) -> str:
    return _WORD.sub(lambda m: SHORT[m[0].lower()] if m[0].lower() in SHORT and rng.random() < 0.5 else m[0], text)


def _ended(pieces: list[Piece], rng: Random) -> list[Piece]:
    """Marks at the end, as mood has it."""
    if pieces and pieces[-1].text[-1:].isalnum() and rng.random() < 0.12:
        return [*pieces, Piece(rng.choice(("!", "!!", "!!!", "?", "??", "...", " :(", " :)", " ?", " !", "..", "?!")))]
    return pieces
