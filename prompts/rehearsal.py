"""Rendering a template with every lawful combination of values before a customer can."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from prompts.errors import BodyError
from prompts.lookup import FactValue
from prompts.pack import Fact, FactType, Pack
from prompts.render import names_in, render
from prompts.spoken import spoken
from prompts.template import Kind, Slot, SlotType, Template

MAX_COMBINATIONS = 5000

_SAMPLES = {
    Kind.TEXT: "cotton bedspread",
    Kind.ORDER_ID: "AB-1023456",
    Kind.EMAIL: "jo.doe@example.com",
    Kind.PHONE: "+44 20 7946 0000",
    Kind.AMOUNT: "$1,249.00",
    Kind.DATE: "24 November",
}
_FACT_SAMPLES: dict[FactType, tuple[FactValue, ...]] = {
    FactType.STRING: ("cotton bedspread",),
    FactType.NUMBER: (1249.5,),
    FactType.BOOLEAN: (True, False),
    FactType.DATE: ("2026-11-24",),
}


@dataclass(frozen=True)
class Refusal:
    """Why a body cannot be approved; `line` is the body's own, 0 if the whole is meant."""

    message: str
    remedy: str
    line: int = 0


def refusals(pack: Pack, template: Template, locale: str) -> Iterator[Refusal]:
    """The first reason, if any, not to approve the template's body in `locale`."""
    body, lead = template.bodies[locale], template.leads.get(locale, "")
    constants = pack.constants(locale)
    facts = pack.facts_of(template)
    try:
        unknown = names_in(body) - constants.keys() - {slot.name for slot in template.asked} - facts.keys()
        if unknown:
            name = min(unknown)
            line = next(at for at, text in enumerate(body.splitlines(), 1) if name in text)
            yield Refusal(f"The body uses {name}, which is no slot, fact or value.", f"Declare {name}.", line)
            return
        longest = _longest(pack, template, locale)
    except BodyError as error:
        yield Refusal(f"The body cannot be rendered: {str(error).rstrip('.')}.", "Correct the body.", error.line)
        return
    if not longest:
        yield Refusal("The body is empty for some values.", "Say something in every case.")
    elif len(lead) + len(longest) > pack.limits.body_max_chars:
        message = f"The reply can have {len(lead) + len(longest)} characters; {pack.limits.body_max_chars} are allowed."
        yield Refusal(message, "Shorten the body, or raise `body_max_chars` in [limits].")


def _longest(pack: Pack, template: Template, locale: str) -> str:
    """The longest text over all combinations; empty if one combination gives no text. Raises `BodyError`."""
    texts = [render(template.bodies[locale], values) for values in combinations(pack, template, locale)]
    return max(texts, key=len) if all(texts) else ""


def combinations(pack: Pack, template: Template, locale: str) -> Iterator[Mapping[str, object]]:
    """Values for a body: each slot absent and present, each choice, each fact; facts only if a lookup can be made.

    Raises `BodyError` if there are more than can be rehearsed.
    """
    args = pack.lookups[template.lookup.name].args if template.lookup else ()
    facts = {
        name: [spoken(fact, v, locale) for v in _fact_values(fact)] for name, fact in pack.facts_of(template).items()
    }
    slots = {slot.name: _slot_values(slot) for slot in template.asked}
    if prod(map(len, [*slots.values(), *facts.values()])) > MAX_COMBINATIONS:
        raise BodyError(f"There are more than {MAX_COMBINATIONS} combinations of its values")
    return _crossed(pack.constants(locale), slots, facts, args)


def _crossed(
    constants: Mapping[str, object],
    slots: Mapping[str, Sequence[object]],
    facts: Mapping[str, Sequence[object]],
    args: Sequence[str],
) -> Iterator[Mapping[str, object]]:
    """The product of all values; without facts where an argument of the lookup is null."""
    for values in product(*slots.values()):
        told = dict(constants) | dict(zip(slots, values, strict=True))
        if any(told[arg] is None for arg in args):
            yield told
        else:
            for found in product(*facts.values()):
                yield told | dict(zip(facts, found, strict=True))


def _slot_values(slot: Slot) -> Sequence[str | None]:
    """Present and, if it may be, absent."""
    if slot.type is SlotType.CHOICE:
        present = list(slot.choices)
    elif slot.type is SlotType.GENERATED:
        present = ["x" * slot.max_chars]
    else:
        present = [_SAMPLES[slot.kind][: slot.max_chars]]
    return [*present, None] if slot.optional else present


def _fact_values(fact: Fact) -> Sequence[FactValue]:
    """Each choice or a sample and, if it may be, null."""
    present = fact.choices or _FACT_SAMPLES[fact.type]
    return [*present, None] if fact.optional else present
