"""Personal data in texts: found by pattern and check digit, replaced by the name of its kind.

For what leaves the house (webhooks, exports to third parties) and for staff whose role does not need it. Spans,
metrics and logs never carry a text in the first place (`telemetry.allow`, `telemetry.logs`); what the engine reads is
untouched.

Check digits are python-stdnum's, phone numbers Google's libphonenumber (package phonenumbers). Names cannot be told
from other words without a language model, so only names that were given as slots are masked: pass them as `names`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations_with_replacement
from typing import Any

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import ssn


class Kind(StrEnum):
    """What is masked, and the word that takes its place."""

    CARD = "card"
    IBAN = "iban"
    NATIONAL_ID = "national id"
    EMAIL = "e-mail"
    PHONE = "phone"
    NAME = "name"


ALL_KINDS = frozenset(Kind)

# Whoever helps a customer needs to reach them; nobody who helps needs what pays or what proves an identity.
AGENT_KINDS = frozenset({Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID})
"""What is masked for agents. Everybody else sees nothing of `ALL_KINDS`."""

PHONE_REGIONS = ("US", "GB", "CN", "IN", "DE", "FR", "ES", "BR")
"""Where a number without a country code may be from, by the speakers that the interface is made for."""


@dataclass(frozen=True)
class Found:
    """Personal data at `text[start:end]`."""

    start: int
    end: int
    kind: Kind


def mask(text: str, kinds: Collection[Kind] = ALL_KINDS, names: Collection[str] = ()) -> str:
    """`text` with every find of these kinds replaced by `[kind]`; lengths and digits do not survive."""
    masked, at = [], 0
    for found in find(text, kinds, names):
        masked += [text[at : found.start], f"[{found.kind}]"]
        at = found.end
    return "".join(masked) + text[at:]


def mask_values(value: Any, kinds: Collection[Kind] = ALL_KINDS, names: Collection[str] = ()) -> Any:
    """A JSON value with every string in it masked; keys stay."""
    match value:
        case str():
            return mask(value, kinds, names)
        case list() | tuple():
            return [mask_values(item, kinds, names) for item in value]
        case dict():
            return {key: mask_values(item, kinds, names) for key, item in value.items()}
    return value


def find(text: str, kinds: Collection[Kind] = ALL_KINDS, names: Collection[str] = ()) -> list[Found]:
    """What is personal in `text`, in order; finds that overlap count as one, of the longer one's kind."""
    if not names and not _DIGIT_OR_AT.search(text):
        return []
    candidates = (found for found in _candidates(text, names) if found.kind in kinds)
    kept: list[Found] = []
    for found in sorted(candidates, key=lambda each: (each.start, -each.end)):
        if kept and found.start < kept[-1].end:
            kept[-1] = _joined(kept[-1], found)
        else:
            kept.append(found)
    return kept


def _joined(one: Found, other: Found) -> Found:
    longer = max(one, other, key=lambda each: each.end - each.start)
    return Found(one.start, max(one.end, other.end), longer.kind)


def _candidates(text: str, names: Iterable[str]) -> Iterator[Found]:
    yield from (_at(match, Kind.EMAIL) for match in _EMAIL.finditer(text))
    for pattern, kind, is_valid in _CHECKED:
        yield from (_at(match, kind) for match in pattern.finditer(text) if is_valid(match[0]))
    yield from _cards(text)
    yield from _phones(text)
    for name in filter(None, map(str.strip, names)):
        pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        yield from (_at(match, Kind.NAME) for match in pattern.finditer(text))


def _at(match: re.Match[str], kind: Kind) -> Found:
    return Found(match.start(), match.end(), kind)


def _phones(text: str) -> Iterator[Found]:
    if not _MANY_DIGITS.search(text):
        return
    # Digits alone, or grouped as no country groups them, are an order's number sooner than a telephone's.
    for region in PHONE_REGIONS:
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            told = _PHONE_WORD.search(text, max(0, match.start - 40), match.start)
            if told or match.raw_string.startswith("+") or _is_grouped(match.raw_string, region):
                yield Found(match.start, match.end, Kind.PHONE)


def _is_grouped(written: str, region: str) -> bool:
    if written.isdigit():
        return False
    grouped = PhoneNumberMatcher(written, region, leniency=Leniency.STRICT_GROUPING)
    return any(match.raw_string == written for match in grouped)


def _valid(*checks: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: any(check(text) for check in checks)


def _cards(text: str) -> Iterator[Found]:
    """Digits in groups, of which the first or last may be something else: a card and then how many were bought."""
    for run in _DIGIT_GROUPS.finditer(text):
        groups = list(_DIGITS.finditer(text, run.start(), run.end()))
        for first, last in combinations_with_replacement(groups, 2):
            digits = re.sub(r"\D", "", text[first.start() : last.end()])
            if _CARD.fullmatch(digits) and luhn.is_valid(digits):
                yield Found(first.start(), last.end(), Kind.CARD)


_DIGIT_OR_AT = re.compile(r"[\d@]")  # nothing but a name has neither
_DIGITS = re.compile(r"\d+")
_DIGIT_GROUPS = re.compile(r"(?<![\w.,/-])(?<![A-Z]{2}\d\d )(?:\d[ -]?){12,40}(?<=\d)(?![\w/]|[.,]\d)", re.IGNORECASE)
# The first digits and lengths of the networks that customers have; every tenth other number would pass the check digit.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6[25]\d{14,17}|6011\d{12}"
)
_MANY_DIGITS = re.compile(r"(?:\d\D{0,3}){7}")
_PHONE_WORD = re.compile(
    r"phone|mobile|\btel|\bcell|\bcall|reach|whatsapp|\bsms\b|text me|电话|手机|号码", re.IGNORECASE
)
# The local part and labels of RFC 5321 as people write them; quoted local parts do not occur in chats.
_EMAIL = re.compile(r"[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}")
_NOT_IN_NUMBER = r"(?<![\w.,/-])(?<![A-Z]{2}\d\d )", r"(?![\w/-]|[.,]\d)"


def _number(pattern: str) -> re.Pattern[str]:
    before, after = _NOT_IN_NUMBER
    return re.compile(f"{before}(?:{pattern}){after}", re.IGNORECASE)


def _named(name: str, pattern: str) -> re.Pattern[str]:
    """Bare digits that only the word before them makes an identity."""
    before = "|".join(f"(?<={name}{joint})" for joint in (" ", ": ", " is "))
    return re.compile(rf"(?:{before}){pattern}\b", re.IGNORECASE)


# Shapes that are someone's identity even without a word about it; digits in no shape of their own are not guessed at,
# every tenth order number would be one.
_CHECKED: tuple[tuple[re.Pattern[str], Kind, Callable[[str], bool]], ...] = (
    (_number(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"), Kind.IBAN, iban.is_valid),
    (_number(r"\d{3}[- ]\d{2}[- ]\d{4}"), Kind.NATIONAL_ID, lambda text: ssn.is_valid(text.replace(" ", "-"))),
    (_number(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), Kind.NATIONAL_ID, cpf.is_valid),
    (_number(r"\d{17}[\dX]"), Kind.NATIONAL_ID, ric.is_valid),
    (_number(r"\d{4} \d{4} \d{4}"), Kind.NATIONAL_ID, aadhaar.is_valid),
    (_number(r"\d{3} \d{3} \d{4}"), Kind.NATIONAL_ID, nhs.is_valid),
    (_number(r"\d{8}-?[A-Z]|[XYZ]\d{7}-?[A-Z]"), Kind.NATIONAL_ID, _valid(dni.is_valid, nie.is_valid)),
    (_number(r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"), Kind.NATIONAL_ID, codicefiscale.is_valid),
    (_number(r"[12](?: ?\d){12}(?: ?\d){2}"), Kind.NATIONAL_ID, nir.is_valid),
    (_number(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"), Kind.NATIONAL_ID, lambda _: True),
    (_number(r"\d{2} \d{3} \d{3} \d{3}"), Kind.NATIONAL_ID, idnr.is_valid),
    (re.compile(r"(?:(?<=BSN )|(?<=BSN: )|(?<=BSN is ))\d{9}\b", re.IGNORECASE), Kind.NATIONAL_ID, bsn.is_valid),
    (
        re.compile(r"(?:(?<=PESEL )|(?<=PESEL: )|(?<=PESEL is ))\d{11}\b", re.IGNORECASE),
        Kind.NATIONAL_ID,
        pesel.is_valid,
    ),
)
