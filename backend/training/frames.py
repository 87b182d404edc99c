"""What people say around a demand, fresh values for real words, and messages that mean nothing."""

from random import Random

from backend.training.grammar import Piece, Values, expand
from backend.training.tables import table
from backend.training.targets import PROBLEMS
from backend.training.values import MAKERS, digits, name, order_id, word

FRAMED = frozenset(
    {"greeting", "thanks", "goodbye", "small_talk", "clarify", "handoff_anger", "handoff_legal", "handoff_threat"}
)


def fresh_value(piece: Piece, values: Values) -> str:
    """A new value of a real message's entity; a short order number stays short."""
    if piece.entity == "invoice_id":
        return f"#{digits(values.rng, 3, 7)}"
    if piece.entity == "person":
        return f"{values.rng.choice(('', '', 'Mr. ', 'Ms. '))}{name(values.rng)}"
    if piece.entity == "account_type":
        return values.get("account")
    return values.get(piece.entity) if piece.entity in MAKERS else piece.text


def framed(pieces: list[Piece], intent: str, values: Values) -> list[Piece]:
    """An opening, the order's number, a story, a mood, a remedy, a close: each now and then, in that order."""
    rng, macros = values.rng, table("macros")
    problem = intent in PROBLEMS

    def maybe(which: str, chance: float, end: str) -> list[Piece]:
        return [*expand(rng.choice(macros[which]), values), Piece(end)] if rng.random() < chance else []

    has_order = any(piece.entity == "order_id" for piece in pieces)
    before = maybe("opener", 0.3, rng.choice((", ", " ", ". "))) + (
        maybe("orderlead", 0.3 if problem else 0.06, " ") if not has_order else []
    )
    before += maybe("story", 0.1, rng.choice((". ", ", ", " and ")))
    after = maybe("story", 0.12, "") and [
        Piece(rng.choice((". ", ", ", ". "))),
        *expand(rng.choice(macros["story"]), values),
    ]
    for which, chance in (("anger", 0.25 if problem else 0.05), ("remedy", 0.15 if problem else 0.0), ("closer", 0.25)):
        added = maybe(which, chance, "")
        after += [Piece(rng.choice((". ", ", ", "! ", " "))), *added] if added else []
    return [*before, *pieces, *after]


def gibberish(rng: Random) -> str:
    """Keys hit at random, lone marks, made-up words."""
    kind = rng.random()
    if kind < 0.4:
        return " ".join(
            "".join(rng.choice("asdfghjklqwertzuiopyxcvbnm") for _ in range(rng.randint(2, 9)))
            for _ in range(rng.choice((1, 1, 1, 2, 3)))
        )
    if kind < 0.6:
        return rng.choice(
            (
                ".",
                "?",
                "??",
                "...",
                ",",
                "-",
                "!",
                "!!!",
                "😀",
                "👍",
                ":)",
                "xD",
                "🙃🙃",
                "test",
                "k",
                "x",
                "a",
                "h",
                "hm",
                "mm",
                "ugh",
                "idk",
                "0",
                "*",
                "ß",
            )
        )
    return " ".join(word(rng) for _ in range(rng.choice((1, 1, 2, 3, 5))))


def told_behind(slot: str, rng: Random) -> list[Piece]:
    """ "..., policy no 4711": a slot's value behind its name."""
    value = MAKERS.get(slot, order_id)(rng)
    label = slot.replace("_", " ")
    shape = rng.choice((", {} ", ". My {} is ", " ({}: ", ", {} is ", ". {}: ", ", my {} "))
    opened = shape.format(label)
    return [Piece(opened), Piece(value, slot), Piece(")" if "(" in opened else "")]


def distractor(rng: Random) -> list[Piece]:
    """A number that is no order's."""
    label = rng.choice(
        (
            "transaction id",
            "tracking number",
            "my phone number is",
            "invoice no",
            "my zip code is",
            "card ending in",
            "article number",
            "txn id",
        )
    )
    return [Piece(f"{rng.choice(('. ', ', '))}{label} {digits(rng, 3, 12)}")]
