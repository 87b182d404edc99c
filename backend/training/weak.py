"""Rules that label cucom's other openings: written against the hand-labelled training part; they abstain in doubt."""

import re
from functools import cache

from backend.training.tables import table

TOO_MANY = 4


def guess(text: str) -> str | None:
    """The template by the first rule that fires; None if none does, or if the text speaks of too much at once."""
    fired = [template for template, pattern in _rules() if pattern.search(text)]
    return fired[0] if fired and len(set(fired)) < TOO_MANY else None


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """`grammar/weak.toml`, compiled, in its order."""
    return tuple(
        (rule["template"], re.compile(rule["pattern"], re.IGNORECASE | re.DOTALL)) for rule in table("weak")["rules"]
    )
