"""What the model is to answer: rules for the demand line, the mood and the reason. One place for training and evaluation."""

import re
from collections.abc import Mapping

from backend.training.grammar import table
from prompts import ActionReason, Sentiment

Slots = Mapping[str, str | None]

HANDOFF_REASONS = {
    "handoff_anger": ActionReason.ANGER, "handoff_legal": ActionReason.LEGAL, "handoff_threat": ActionReason.THREAT,
    "contact_human_agent": ActionReason.HUMAN_REQUESTED,
}  # fmt: skip
REASONS = {
    **HANDOFF_REASONS,
    "clarify": ActionReason.UNCLEAR, "out_of_scope": ActionReason.OUT_OF_SCOPE, "other_language": ActionReason.LANGUAGE,
    "greeting": ActionReason.SMALL_TALK, "thanks": ActionReason.SMALL_TALK, "goodbye": ActionReason.SMALL_TALK, "small_talk": ActionReason.SMALL_TALK,
}  # fmt: skip
PROBLEMS = frozenset({
    "charged_twice", "complaint", "item_damaged", "item_missing", "item_wrong", "not_received", "order_cancelled_by_shop", "order_late",
    "payment_issue", "refund_late", "registration_problems", "return_problem",
})  # fmt: skip
NEEDS_ORDER = frozenset({
    "cancel_order", "change_order", "change_shipping_address", "charged_twice", "get_invoice", "get_refund", "item_damaged", "item_missing",
    "item_wrong", "not_received", "order_cancelled_by_shop", "order_late", "refund_late", "return_item", "return_problem", "track_order",
    "track_refund",
})  # fmt: skip
_ANGRY = re.compile(
    r"unac+ept|ridic\w+|furious|outrag|\bwtf\b|scam|what the (hell|heck)|fuck|shit|bull|\bangr|fuming|pissed|disgust|thie[fv]|\bjoke\b|\bmad\b|theft"
    r"|fraud|\bliars?\b|worst|idiot|moron|crook|enraged|infuriat|livid|insane|sick (and tired )?of|fed up|hate (you|this)|disgrace|!!!|damn|bloody|goddamn",
    re.IGNORECASE,
)
_SAD = re.compile(
    r"disap+oint|unhap+y|upset|frustrat|an+oy|worr(y|ied|ying)|\bbad\b|ter+ible|dis+atisf|\bsad\b|stress|awful|poor|not happy|:\(|useless|complain"
    r"|urgent|horrible|rude|concern(ed|ing)? (about|that)|inconvenien",
    re.IGNORECASE,
)
_GLAD = re.compile(r"\b(thanks|thank you|thx|great|perfect|awesome|love|lovely|wonderful|appreciate|excellent|brilliant|amazing|happy|:\))", re.IGNORECASE)
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
