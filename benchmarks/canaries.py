"""Fifty pieces of invented personal data that no log, trace, metric or webhook may ever show, and the search for them.

The same fifty every time. A canary is searched as it was written, without its blanks and dashes, and as JSON and URLs
write it, in either case.
"""

import json
import random
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from stdnum import iban, luhn
from stdnum.es import dni
from stdnum.iso7064 import mod_97_10

from telemetry.masking import Kind

HOW_MANY = {Kind.CARD: 14, Kind.EMAIL: 10, Kind.PHONE: 8, Kind.IBAN: 6, Kind.NATIONAL_ID: 6, Kind.NAME: 6}

_NAMES = (
    "Torvald Quistgaard",
    "Philippa Zwicky",
    "Oyelaran Fatoyinbo",
    "Ximena Etxebarria",
    "Ludmila Vrbatová",
    "Aoife Ní Dhomhnaill",
)
_SAID = {
    Kind.CARD: "I paid with my card {}.",
    Kind.EMAIL: "You can write to {}.",
    Kind.PHONE: "My phone is {}.",
    Kind.IBAN: "Please refund it to {}.",
    Kind.NATIONAL_ID: "My identity card says {}.",
    Kind.NAME: "Hello, my name is {}.",
}


@dataclass(frozen=True)
class Canary:
    """`said` is a customer's sentence with it."""

    kind: Kind
    text: str

    @property
    def said(self) -> str:
        return _SAID[self.kind].format(self.text)

    @property
    def forms(self) -> frozenset[str]:
        """How it may have been written down, in lower case."""
        written = {self.text, json.dumps(self.text)[1:-1], quote(self.text), quote_plus(self.text)}
        return frozenset(form.lower() for form in written)


def canaries() -> list[Canary]:
    """The fifty, in an order that mixes the kinds."""
    dice = random.Random("canaries")
    made = [Canary(kind, _MAKERS[kind](dice, at)) for kind, count in HOW_MANY.items() for at in range(count)]
    dice.shuffle(made)
    return made


def found_in(text: str, wanted: Iterable[Canary]) -> set[Canary]:
    """Those of the canaries that occur in the text, however they are written."""
    lowered = text.lower()
    bare = _bare(lowered)
    return {each for each in wanted if any(form in lowered for form in each.forms) or _bare(each.text.lower()) in bare}


def told(places: Sequence[tuple[str, Collection[Canary]]]) -> str:
    """One line a place; the kinds of what was found there, and the first of it."""
    rows = []
    for place, found in places:
        kinds = ", ".join(sorted({each.kind for each in found}))
        first = f": {kinds}, such as {min(each.text for each in found)}" if found else ""
        rows.append(f"canaries in {place:<28} {len(found)}{first}")
    return "\n".join(rows)


def _bare(text: str) -> str:
    return re.sub(r"[\s-]", "", text)


def _digits(dice: random.Random, count: int) -> str:
    return "".join(str(dice.randrange(10)) for _ in range(count))


def _card(dice: random.Random, at: int) -> str:
    body = ("4" if at % 2 else "5" + str(dice.randrange(1, 6))) + _digits(dice, 15)
    number = body[:15] + luhn.calc_check_digit(body[:15])
    return number if at % 3 == 0 else " ".join(number[first : first + 4] for first in range(0, 16, 4))


def _email(dice: random.Random, at: int) -> str:
    return f"canary.{_digits(dice, 6)}@{('mailbox', 'post-office', 'letters')[at % 3]}.example.org"


def _phone(dice: random.Random, _: int) -> str:
    return f"+49 30 {dice.randrange(2, 10)}{_digits(dice, 7)}"


def _iban(dice: random.Random, _: int) -> str:
    account = _digits(dice, 18)
    return iban.format("DE" + mod_97_10.calc_check_digits(account + "DE") + account)


def _national_id(dice: random.Random, _: int) -> str:
    number = str(dice.randrange(1, 10)) + _digits(dice, 7)
    return number + dni.calc_check_digit(number)


_MAKERS: dict[Kind, Callable[[random.Random, int], str]] = {
    Kind.CARD: _card,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.IBAN: _iban,
    Kind.NATIONAL_ID: _national_id,
    Kind.NAME: lambda _, at: _NAMES[at],
}
