"""What the model is to answer: rules for the demand line, the mood and the reason, also for evaluation."""

import re
from collections.abc import Mapping

from backend.training.tables import table, words
from prompts import ActionReason, Sentiment

Slots = Mapping[str, str | None]

HANDOFF_REASONS = {
    "handoff_anger": ActionReason.ANGER,
    "handoff_legal": ActionReason.LEGAL,
    "handoff_threat": ActionReason.THREAT,
    "contact_human_agent": ActionReason.HUMAN_REQUESTED,
}
REASONS = {
    **HANDOFF_REASONS,
    "clarify": ActionReason.UNCLEAR,
    "out_of_scope": ActionReason.OUT_OF_SCOPE,
    "other_language": ActionReason.LANGUAGE,
    "greeting": ActionReason.SMALL_TALK,
    "thanks": ActionReason.SMALL_TALK,
    "goodbye": ActionReason.SMALL_TALK,
    "small_talk": ActionReason.SMALL_TALK,
}
PROBLEMS = frozenset(words("problems"))
NEEDS_ORDER = frozenset(words("needs_order"))
_ANGRY, _SAD, _GLAD = (re.compile(str(table("moods")[mood]), re.IGNORECASE) for mood in ("angry", "sad", "glad"))
_CHOICE = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")


def sentiment(intent: str, text: str) -> Sentiment:
    """The mood of a message: its words first, then what it reports."""
    if intent in ("handoff_anger", "handoff_threat") or _ANGRY.search(text) or _shouts(text):
        return Sentiment.ANGRY
    if _SAD.search(text) or intent in PROBLEMS or intent == "handoff_legal":
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if intent == "thanks" or _GLAD.search(text) else Sentiment.NEUTRAL


def _shouts(text: str) -> bool:
    """Three words of capitals."""
    return len(re.findall(r"\b[A-Z]{3,}\b", text)) >= 3


def reason(intent: str, slots: Slots) -> ActionReason:
    """Why this action: an order that is needed and not known is a missing detail."""
    if intent in NEEDS_ORDER and "order_id" in slots and slots["order_id"] is None:
        return ActionReason.MISSING_DETAIL
    return REASONS.get(intent, ActionReason.ANSWERED)


def demand(intent: str, values: Slots, when: str) -> str:
    """The agent's line. An intent that is not the shop's own is told in the catalogue's words."""
    pattern = table("demands").get(intent)
    if pattern is None:
        known = ", ".join(value for value in values.values() if value)
        return f"{when[:1].upper()}{when[1:]}{': ' if known else ''}{known}"
    line = _CHOICE.sub(lambda match: _chosen(match, values), str(pattern))
    line = " ".join(line.format(**{key: value or "" for key, value in values.items()}).split())
    return line[:1].upper() + line[1:]


def _chosen(match: re.Match[str], values: Slots) -> str:
    names = re.findall(r"\{(\w+)\}", match[1])
    return match[1] if all(values.get(name) for name in names) else match[2]
