"""Open values for slots. None comes from a closed list alone: a list would be memorised instead of copied."""

import string
from random import Random

from backend.training.tables import lines, words

ADJECTIVES = words("adjectives")
MODIFIERS = words("modifiers")
NOUNS = tuple(noun.replace("_", " ") for noun in words("nouns"))
PRODUCTS = lines("products")
NAMES = words("names")
CITIES = tuple(place.replace("_", " ") for place in words("cities"))
ACCOUNTS = words("accounts")
MONTHS = words("months")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DOMAINS = words("domains")
NATURAL = 0.4
"""How many products are ones that were written down, not put together."""
_ONSETS = words("onsets")
_VOWELS = words("vowels")
_CODAS = ["", "", "n", "r", "l", "s", "t", "m", "x", "nd", "rt", "sk"]


def word(rng: Random) -> str:
    """A pronounceable word that no dictionary holds."""
    parts = rng.choices((1, 2, 3), (1, 5, 2))[0]
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(parts))


def digits(rng: Random, low: int, high: int) -> str:
    """A run of digits, its length drawn evenly from `low` to `high`."""
    return "".join(rng.choice(string.digits) for _ in range(rng.randint(low, high)))


def order_id(rng: Random) -> str:
    """An order number in one of many shops' shapes: 4 to 28 characters, at least one digit."""
    kind = rng.random()
    if kind < 0.07:
        return _patterned(rng)
    if kind < 0.1:
        return _masked(rng)
    kind = rng.random()
    letters = "".join(rng.choice(string.ascii_uppercase) for _ in range(rng.randint(1, 4)))
    if kind < 0.55:
        return digits(rng, 4, 14)
    if kind < 0.72:
        return f"{digits(rng, 3, 3)}-{digits(rng, 5, 7)}-{digits(rng, 5, 7)}"
    if kind < 0.85:
        return letters + rng.choice(("", "-", "")) + digits(rng, 3, 12)
    if kind < 0.92:
        return f"{digits(rng, 2, 5)}-{digits(rng, 2, 6)}"
    if kind < 0.96:
        return letters + digits(rng, 2, 4) + rng.choice("ABCXYZ") + digits(rng, 1, 4)
    return f"{letters}-{digits(rng, 2, 4)}-{digits(rng, 2, 5)}"


def _masked(rng: Random) -> str:
    """A number that the customer hides, "406-XXXXXXX-YYYYYYY": where such a run ends has to be counted."""
    letters = rng.choice(("X", "X", "x", "XY", "xy", "Z", "N", "0"))
    parts = [rng.choice(letters) * rng.randint(3, 11) for _ in range(rng.choice((1, 2, 2)))]
    return rng.choice(("-", "-", "-", "")).join([digits(rng, 2, 4), *parts])


def _patterned(rng: Random) -> str:
    """Numbers that people make up: runs of one digit, counting up or down. Hard to copy: no digit tells its place."""

    def part(length: int) -> str:
        start = rng.randrange(10)
        step = rng.choice((0, 0, 1, 1, -1))
        return "".join(str((start + step * at) % 10) for at in range(length))

    if rng.random() < 0.7:
        return f"{part(3)}-{part(rng.choice((6, 7, 7, 7, 8)))}-{part(rng.choice((6, 7, 7, 7, 8)))}"
    return part(rng.randint(5, 14))


ABROAD = ("A$ {}", "R{}", "₦{}", "CHF {}", "AED {}", "SEK {}", "{} kr", "{} zloty", "{} dirhams", "{} pesos")


def amount(rng: Random) -> str:
    """An amount of money as a customer writes it."""
    number = rng.choice(
        (
            digits(rng, 1, 4).lstrip("0") or "5",
            f"{rng.randint(1, 999)}.{digits(rng, 2, 2)}",
            f"{rng.randint(1, 9)},{digits(rng, 3, 3)}",
        )
    )
    shape = rng.choice(
        (
            "${}",
            "${}",
            "${}",
            "€{}",
            "£{}",
            "{} dollars",
            "{} euros",
            "{} pounds",
            "{} USD",
            "{} EUR",
            "{}€",
            "₹{}",
            "Rs {}",
            "INR {}",
            "Rs. {}",
            "{} bucks",
            "{}$",
            "{} quid",
            rng.choice(ABROAD),
            "{}" if "." in number else "${}",
        )
    )
    return shape.format(number)


def date(rng: Random) -> str:
    """A calendar date as a customer writes it."""
    day, month = rng.randint(1, 28), rng.choice(MONTHS)
    number, year = MONTHS.index(month) + 1, rng.randint(2023, 2027)
    suffix = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    short = month[:3]
    return rng.choice(
        (
            f"{month} {day}",
            f"{day} {month}",
            f"{month} {day}{suffix}",
            f"{day}{suffix} {month}",
            f"the {day}{suffix} of {month}",
            f"{short} {day}",
            f"{day} {short}",
            f"{month} {day}{suffix}, {year}",
            f"{day}/{number}/{year}",
            f"{year}-{number:02}-{day:02}",
            f"{number}/{day}",
            f"{day}.{number}.",
            f"{day}{suffix} {short}",
            f"the {day}{suffix}",
            rng.choice(WEEKDAYS),
            rng.choice(WEEKDAYS).lower(),
            f"{number}/{day}/{year}",
            f"{day} {month} {year}",
        )
    )


def product(rng: Random) -> str:
    """A product: one as people write it, or known and invented words mixed."""
    if rng.random() < NATURAL:
        return rng.choice(PRODUCTS)
    noun = rng.choice(NOUNS) if rng.random() < 0.85 else word(rng)
    if rng.random() < 0.18:
        noun = f"{rng.choice(MODIFIERS)} {noun}"
    parts = [rng.choice(ADJECTIVES) for _ in range(rng.choices((0, 1, 2), (6, 5, 2))[0])]
    if rng.random() < 0.22:
        parts.insert(0, word(rng).capitalize())
    kind = rng.random()
    if kind < 0.05:
        noun = rng.choice(
            ("set of {}s", "pair of {}s", "pack of {}s", "box of {}s", "{} cover", "{} set", "{}s")
        ).format(noun)
    elif kind < 0.11:
        noun += " " + rng.choice(
            (digits(rng, 1, 3), "XL", "set", "Pro", digits(rng, 2, 4) + rng.choice(("cm", "ml", "GB", "W")))
        )
    return " ".join([*parts, noun])


def city(rng: Random) -> str:
    """A town or country."""
    return rng.choice(CITIES).title() if rng.random() < 0.4 else _title(rng)


def name(rng: Random) -> str:
    """A person's name."""
    first = rng.choice(NAMES).title() if rng.random() < 0.5 else _title(rng)
    return first if rng.random() < 0.75 else f"{first} {_title(rng)}"


def email(rng: Random) -> str:
    """An e-mail address."""
    left = rng.choice(NAMES) if rng.random() < 0.5 else word(rng)
    right = (
        rng.choice(DOMAINS)
        if rng.random() < 0.6
        else f"{word(rng)}.{rng.choice(('com', 'net', 'org', 'de', 'io', 'co.uk'))}"
    )
    tail = rng.choice(("", "", digits(rng, 1, 4), f".{word(rng)}", f"_{word(rng)}"))
    return f"{left}{tail}@{right}"


def account_type(rng: Random) -> str:
    """A kind of account."""
    value = rng.choice(ACCOUNTS) if rng.random() < 0.55 else word(rng)
    return value.capitalize() if rng.random() < 0.4 else value


def _title(rng: Random) -> str:
    made = word(rng).capitalize()
    return f"{made} {word(rng).capitalize()}" if rng.random() < 0.1 else made


MAKERS = {
    "order_id": order_id,
    "amount": amount,
    "date": date,
    "product": product,
    "item": product,
    "city": city,
    "place": city,
    "name": name,
    "email": email,
    "account": account_type,
}
FOREIGN_NUMBERS = frozenset(words("foreign_slots")) - MAKERS.keys()


def made(name: str, rng: Random) -> str:
    """A value of a kind of ours or, of other brands, a number. Raises `KeyError` for any other kind."""
    return order_id(rng) if name in FOREIGN_NUMBERS else MAKERS[name](rng)
