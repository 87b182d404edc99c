"""The grammar of one turn: a copied value can only be written if it stands in the customer's own words.

A model that copies by the token mangles long numbers and rare words. What can be copied is known before the model is
asked, so the schema lists it: for a kind with a shape what has that shape, for an open one (text, date) every short
run of words. A conversation keeps its schema until the customer writes something new: an engine compiles it once.
"""

from collections.abc import Mapping, Sequence, Set

from prompts.pack import Pack
from prompts.schema import Schema, reply_schema
from prompts.slots import candidates, is_open
from prompts.template import Slot, SlotType

MOST_VALUES, MOST_RUNS = 32, 600
"""More are not listed for a first attempt, because a long list takes long to compile; the check refuses what stands
nowhere then. In customers' real messages there were at most 11 values with a shape; 600 runs are some 110 words.
"""


def turn_schema(pack: Pack, texts: Sequence[str], *, only: Set[str] | None = None, is_strict: bool = False) -> Schema:
    """The schema of a reply to a customer whose own messages are `texts`; `only` restricts the templates.

    In a strict schema, for an attempt after an unlawful one, what is too much to list is cut to the newest, and what
    cannot be listed stays empty: then no value can be invented. Equal values give equal schemas, byte for byte. Where
    no template could be filled, nothing is narrowed.
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
        return {slot: _listed(slot, values or []) for slot, values in found.items()}
    return {
        slot: _listed(slot, values)
        for slot, values in found.items()
        if values is not None and len(values) <= _most(slot)
    }


def _most(slot: Slot) -> int:
    return MOST_RUNS if is_open(slot) else MOST_VALUES


def _listed(slot: Slot, values: Sequence[str]) -> list[str]:
    """The newest values, in an order that does not depend on when they were said."""
    return sorted(values[: _most(slot)])
