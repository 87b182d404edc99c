"""The grammar of one turn: a copied value can only be written if it stands in the customer's own words.

A model that copies by the token mangles long numbers. Where a kind has a shape of its own, what can be copied is known
before the model is asked; so the schema lists it. A conversation without such values has one and the same schema for
each pack, and one with them keeps its schema until the customer writes another: an engine compiles it once.
"""

from collections.abc import Mapping, Sequence, Set

from prompts.pack import Pack
from prompts.schema import Schema, reply_schema
from prompts.slots import candidates
from prompts.template import Slot, SlotType

MOST_VALUES = 32
"""More are not listed for a first attempt, because a long list takes long to compile; the check refuses what stands
nowhere then. In customers' real messages there were at most 11.
"""


def turn_schema(pack: Pack, texts: Sequence[str], *, only: Set[str] | None = None, is_strict: bool = False) -> Schema:
    """The schema of a reply to a customer whose own messages are `texts`; `only` restricts the templates.

    Kinds without a shape (text, date) are free. In a strict schema, for an attempt after an unlawful one, they stay
    empty: then no value can be invented. Equal values give equal schemas, byte for byte. Where no template could be
    filled, nothing is narrowed.
    """
    values = _values(pack, texts, is_strict=is_strict)
    try:
        return reply_schema(pack, only=only, candidates=values)
    except ValueError:
        return reply_schema(pack, only=only)


def _values(pack: Pack, texts: Sequence[str], *, is_strict: bool) -> Mapping[Slot, Sequence[str]]:
    """What each copied slot may hold; a slot that is missing is free."""
    copied = {slot for template in pack.offered for slot in template.asked if slot.type is SlotType.COPIED}
    found = {slot: candidates(slot, texts) for slot in copied}
    if is_strict:
        return {slot: _listed(values or []) for slot, values in found.items()}
    return {
        slot: _listed(values) for slot, values in found.items() if values is not None and len(values) <= MOST_VALUES
    }


def _listed(values: Sequence[str]) -> list[str]:
    """The newest values, in an order that does not depend on when they were said."""
    return sorted(values[:MOST_VALUES])
