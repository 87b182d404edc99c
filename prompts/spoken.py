"""How facts are spoken in a locale."""

from datetime import date

from prompts.lookup import FactValue
from prompts.pack import Fact, FactType

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def spoken(fact: Fact, value: FactValue, locale: str) -> FactValue:
    """A fact as a body prints it: days in words, everything else as it is."""
    if fact.type is FactType.DATE and isinstance(value, str):
        return spoken_day(date.fromisoformat(value), locale)
    return value


def spoken_day(day: date, locale: str) -> str:
    """ "24 November 2026", "2026年11月24日", and ISO 8601 for locales that we do not know."""
    match locale.split("-")[0]:
        case "en":
            return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        case "zh":
            return f"{day.year}年{day.month}月{day.day}日"
    return day.isoformat()
