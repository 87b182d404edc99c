"""What a template asks a lookup for, and what the answer may be. The call itself is the application's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from prompts.characters import one_line
from prompts.pack import Fact, FactType, Lookup

FACT_MAX_CHARS = 200

FactValue = str | int | float | bool | None


class LookupOutcome(StrEnum):
    """How a lookup ended."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    FAILED = "failed"


@dataclass(frozen=True)
class LookupCall:
    """A lookup to make now: its name in the pack and its arguments, which are validated slot values."""

    name: str
    args: Mapping[str, str]


@dataclass(frozen=True)
class LookupResult:
    """What agents see of a lookup."""

    name: str
    outcome: LookupOutcome


def checked_facts(lookup: Lookup, answer: Mapping[str, object]) -> dict[str, FactValue]:
    """The declared facts of an answer, dates as ISO 8601 days, text as one visible line of at most 200 characters.

    Raises ValueError if one is missing, of another type, or outside of its choices.
    """
    return {name: _checked(name, fact, answer.get(name)) for name, fact in lookup.facts.items()}


def _checked(name: str, fact: Fact, value: object) -> FactValue:
    """One fact of an answer."""
    if value is None:
        if fact.optional:
            return None
        raise ValueError(f"Fact {name} is missing.")
    if fact.type is FactType.BOOLEAN or isinstance(value, bool):
        return _of_type(name, value, bool, fact.type is FactType.BOOLEAN)
    if fact.type is FactType.NUMBER:
        return _of_type(name, value, (int, float), True)
    if fact.type is FactType.DATE and isinstance(value, date):
        value = value.date() if isinstance(value, datetime) else value
        return value.isoformat()
    text = one_line(_of_type(name, value, str, True))[:FACT_MAX_CHARS]
    if not text or (fact.choices and text not in fact.choices):
        raise ValueError(f"Fact {name} is outside of its choices.")
    return date.fromisoformat(text[:10]).isoformat() if fact.type is FactType.DATE else text


def _of_type(name: str, value: object, types: type | tuple[type, ...], allowed: bool) -> object:
    """`value` if it is an instance of `types` and those are allowed."""
    if not allowed or not isinstance(value, types):
        raise ValueError(f"Fact {name} has the wrong type.")
    return value
