"""What a customer would read: the approved text of an answer, every lookup as if it had found something."""

from collections.abc import Mapping

from prompts import Fact, FactType, Pack
from prompts.lookup import FactValue
from prompts.render import render
from prompts.spoken import spoken

_TOLD = {FactType.STRING: "oak table", FactType.NUMBER: 2, FactType.BOOLEAN: True, FactType.DATE: "2026-11-24"}
LOCALE = "en"


def reply_text(pack: Pack, template_id: str, slots: Mapping[str, object]) -> str:
    """The English text of a template with these slots; what is not given is null."""
    template = pack.templates[template_id]
    locale = pack.locale_for(LOCALE)
    told = {name: spoken(fact, _found(fact), locale) for name, fact in pack.facts_of(template).items()}
    values = pack.constants(locale) | told | {slot.name: slots.get(slot.name) for slot in template.asked}
    return (template.leads.get(locale, "") + render(template.bodies[locale], values)).strip()


def _found(fact: Fact) -> FactValue:
    return fact.choices[0] if fact.choices else _TOLD[fact.type]
