"""How a kind of value is found in text, and when two spellings of it are one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from prompts.template import Kind

_AMOUNT_NUMBER = r"\d{1,3}(?:[., ']\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_CURRENCIES = {
    name: code
    for code, names in {
        "aed": "aed dhs dirham dirhams",
        "aud": "a$ au$ aud",
        "bdt": "bdt taka",
        "bgn": "bgn lev leva",
        "brl": "r$ brl reais",
        "cad": "c$ ca$ cad",
        "chf": "chf franc francs",
        "cny": "¥ cny rmb yuan 元 块",
        "czk": "kč czk koruna korun",
        "dkk": "dkk kroner",
        "egp": "egp",
        "eur": "€ eur euro euros",
        "gbp": "£ gbp pound pounds quid quids",
        "gbx": "p pence",
        "ghs": "gh₵ ₵ ghs cedi cedis",
        "hkd": "hk$ hkd",
        "huf": "huf forint forints",
        "idr": "rp idr rupiah",
        "ils": "₪ ils shekel shekels",
        "inr": "₹ inr rs rupee rupees",
        "jmd": "j$ jmd",
        "jpy": "jpy yen",
        "kes": "ksh kes shilling shillings",
        "krw": "₩ krw",
        "kwd": "kwd dinar dinars",
        "mxn": "mxn peso pesos",
        "myr": "rm myr ringgit",
        "ngn": "₦ ngn naira",
        "nok": "nok",
        "nzd": "nz$ nzd",
        "php": "₱",
        "pln": "zł pln zloty zlotys",
        "ron": "ron lei",
        "rub": "₽ rub ruble rubles",
        "sar": "sar riyal riyals",
        "sek": "kr sek krona kronor",
        "sgd": "s$ sgd",
        "thb": "฿ thb baht",
        "try": "₺ tl lira",
        "uah": "₴ uah hryvnia",
        "usd": "$ us$ usd dollar dollars bucks",
        "vnd": "₫ vnd",
        "zar": "r zar rand",
    }.items()
    for name in names.split()
}
"""What customers write for a currency, but for names that are common words too (won, try)."""


def _any_of(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


_CURRENCY_WORDS = {name for name in _CURRENCIES if name.isascii() and name[0].isalpha()}
_CURRENCY = f"(?<![a-z])(?:{_any_of(_CURRENCY_WORDS)})|{_any_of(_CURRENCIES.keys() - _CURRENCY_WORDS)}"
_AMOUNT = re.compile(
    rf"(?:({_CURRENCY})(?:(?<=rs)\.)? ?)?(?:(?<=rs\.)|(?<![\d.,]))({_AMOUNT_NUMBER})(?: ?({_CURRENCY})(?![a-z\d]))?"
)
_NUMBER_WORD = (
    "an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand"
)
_SPELLED_AMOUNT = re.compile(
    rf"(?<![a-z])(?:{_NUMBER_WORD})(?:[ -](?:and )?(?:{_NUMBER_WORD}))* "
    rf"(?:{'|'.join(name for name in _CURRENCIES if name.isalpha() and len(name) > 3)})(?![a-z])"
    r"|(?<![a-z])(?:an? )?(?:fiver|tenner)(?![a-z])"
)
_LETTERS_INSIDE = r"\d[\d-]*(?: \d[\d-]*){0,3} [a-z]{1,3}(?: \d[\d-]*){0,3}(?![\w'’-])"
"""As "7 DL 339" and "7741 B". Few groups, so that a row of numbers is not read again from each of them."""


@dataclass(frozen=True)
class Shape:
    """How a kind is found in folded text, and `key`, which is equal for two spellings of one value."""

    patterns: tuple[re.Pattern[str], ...]
    key: Callable[[str], object]


def alphanumerics(value: str) -> str:
    return "".join(c for c in value if c.isalnum())


def _digits(value: str) -> str:
    return "".join(c for c in value if c.isdigit())


def _amount_key(value: str) -> object:
    """The number and its currency; of two separators the last is the decimal one, a lone one with 3 digits is not."""
    found = _AMOUNT.fullmatch(value)
    if not found:
        return value
    number = re.sub(r"[., '](?=\d{3}(?!\d))", "", found[2]).replace(",", ".")
    return Decimal(number), _CURRENCIES.get(found[1] or found[3])


SHAPES = {
    Kind.ORDER_ID: Shape(
        patterns=(
            re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*"),
            re.compile(
                r"[a-z0-9]+(?:[-_/][a-z0-9]+|\.(?=(?:[a-z]{1,4}\.)?[a-z]*\d)[a-z0-9]+)*"
                r"(?:(?<=\d)\.[a-z]{1,2}(?![\w'’]))?"
            ),
            re.compile(r"(?<![a-z0-9_/-])\d+(?:[ .]\d+)+(?![a-z0-9_/-])"),
            re.compile(r"(?<![a-z0-9_/'’-])[a-z]{1,4} \d[a-z0-9-]*"),
            re.compile(r"(?<![a-z0-9_/'’-])[a-z]{1,4}(?: \d[a-z0-9-]*){2,}"),
            re.compile(rf"(?<![a-z0-9_/'’-]){_LETTERS_INSIDE}"),
            re.compile(rf"(?<![a-z0-9_/'’-])[a-z]{{1,4}}[ -]{_LETTERS_INSIDE}"),
        ),
        key=alphanumerics,
    ),
    Kind.EMAIL: Shape((re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+\.[^\W\d_]{2,}"),), str),
    Kind.PHONE: Shape((re.compile(r"\+?\(?\d[\d ()./-]{4,}\d"),), _digits),
    Kind.AMOUNT: Shape((_AMOUNT, _SPELLED_AMOUNT), _amount_key),
}
