"""The reply's JSON schema: one branch per template, so that the grammar admits no template with wrong slots."""

from collections.abc import Mapping, Sequence, Set
from enum import StrEnum
from functools import lru_cache
from typing import Any

from prompts.pack import Pack
from prompts.template import Slot, SlotType, Template


class Sentiment(StrEnum):
    """The customer's mood, for the staff."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    ANGRY = "angry"


class ActionReason(StrEnum):
    """Why the engine chose its action, for the staff."""

    ANSWERED = "answered"
    MISSING_DETAIL = "missing_detail"
    UNCLEAR = "unclear"
    OUT_OF_SCOPE = "out_of_scope"
    LANGUAGE = "language"
    SMALL_TALK = "small_talk"
    HUMAN_REQUESTED = "human_requested"
    ANGER = "anger"
    LEGAL = "legal"
    THREAT = "threat"


HEAD = ("action", "template", "slots")
TAIL = ("demand", "sentiment", "action_reason")

Schema = dict[str, Any]


def reply_schema(
    pack: Pack,
    *,
    only: Set[str] | None = None,
    candidates: Mapping[str, Sequence[str]] | None = None,
) -> Schema:
    """The schema of a whole reply. Properties come in the order in which the engine writes them.

    `only` restricts the templates. `candidates` narrows copied slots, by name, to lawful values: for a second
    attempt after an ungrounded copy. A template that could not be filled then is left out. There is no
    `maxLength` anywhere: it halves the engine's throughput. The schema is shared and kept: callers do not change it.
    """
    among = None if only is None else frozenset(only)
    return _kept_schema(pack, among) if candidates is None else _schema(pack, among, candidates)


@lru_cache(maxsize=64)
def _kept_schema(pack: Pack, only: frozenset[str] | None) -> Schema:
    """Every turn of a pack version asks for the same one, until a template is recalled."""
    return _schema(pack, only, {})


def _schema(pack: Pack, only: frozenset[str] | None, narrowed: Mapping[str, Sequence[str]]) -> Schema:
    branches = [
        _branch(template, narrowed)
        for template in pack.offered
        if (only is None or template.id in only) and _fillable(template, narrowed)
    ]
    if not branches:
        raise ValueError("No template is left to choose from.")
    return {"anyOf": branches}


def _fillable(template: Template, candidates: Mapping[str, Sequence[str]]) -> bool:
    """False if a copied slot that may not be null has no candidate."""
    return all(slot.optional or candidates.get(slot.name, True) for slot in template.asked if _copied(slot))


def _branch(template: Template, candidates: Mapping[str, Sequence[str]]) -> Schema:
    """The schema of the replies that use `template`."""
    slots = {slot.name: _slot(slot, candidates.get(slot.name)) for slot in template.asked}
    return _object(
        {
            "action": {"const": template.action.value},
            "template": {"const": template.id},
            "slots": _object(slots),
            "demand": {"type": "string"},
            "sentiment": {"enum": [item.value for item in Sentiment]},
            "action_reason": {"enum": [item.value for item in ActionReason]},
        }
    )


def _object(properties: Schema) -> Schema:
    """A closed object in which every property is required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _slot(slot: Slot, candidates: Sequence[str] | None) -> Schema:
    """The schema of one slot's value."""
    values = slot.choices if slot.type is SlotType.CHOICE else candidates if _copied(slot) else None
    if values is not None:
        return {"enum": [*values, None] if slot.optional else list(values)}
    return {"anyOf": [{"type": "string"}, {"type": "null"}]} if slot.optional else {"type": "string"}


def _copied(slot: Slot) -> bool:
    return slot.type is SlotType.COPIED
