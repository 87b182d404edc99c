"""From what somebody says, or what somebody noted about it, to a catalogue's "when" line: rules, many and rough."""

import re
from functools import cache
from random import Random

from backend.training.tables import table

_HELLO = re.compile(
    r"^(hi|hello|hey|good (morning|evening|afternoon)|excuse me|ok|okay|well|so|and|but|yes|yeah|please|sorry|sir|um)"
    r"\b[ ,.!]*(there|team|sir|everyone)?[ ,.!]*",
    re.IGNORECASE,
)
_POLITE = re.compile(r"[ ,.]*\b(please|thanks|thank you|pls|asap|kindly)\b[ ,.!]*$", re.IGNORECASE)
_NOTE = re.compile(
    r"^[-* ]*(the )?(customer|client|user|caller|buyer|shopper|guest|member)('s)?\b[ ,]*(is|was|has been)? *",
    re.IGNORECASE,
)
_ISSUE = re.compile(r"^[-* ]*the (key|main|primary) (issue|reason|problem)\b.*?\b(is|was) (that )?", re.IGNORECASE)


def line_from_words(text: str, rng: Random) -> str:
    """ "how do i reset my pin?" to "asks how to reset the pin"."""
    core = _POLITE.sub("", text.strip().rstrip("?!. "))
    for _ in range(3):
        core = _HELLO.sub("", core)
    core = core.rstrip("?!., ")
    for pattern, shapes in _rules():
        match = pattern.match(core)
        if match:
            parts = [_third_person(part) for part in match.groups()]
            return rng.choice(shapes).format(*parts)
    return _third_person(core)


def line_from_note(text: str) -> str:
    """ "- The customer wants a refund." to "wants a refund"."""
    core = _NOTE.sub("", _ISSUE.sub("", text.strip().rstrip(". ")))
    return core[:1].lower() + core[1:]


def _third_person(text: str) -> str:
    text = text[:1].lower() + text[1:]
    for own, other in table("wording")["others"].items():
        text = re.sub(rf"\b{own}\b", other, text, flags=re.IGNORECASE)
    return text.strip()


@cache
def _rules() -> tuple[tuple[re.Pattern[str], list[str]], ...]:
    """`grammar/wording.toml`, compiled, in its order."""
    rules = table("wording")["shapes"]
    return tuple((re.compile(rf"^{rule['pattern']}$", re.IGNORECASE), rule["lines"]) for rule in rules)
