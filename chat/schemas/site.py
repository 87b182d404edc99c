"""A site's templates."""

from pydantic import BaseModel

from prompts import Kind, Slot, SlotType, Template


class SlotOut(BaseModel):
    """`kind` says what a copied value looks like; the other types have none."""

    name: str
    type: SlotType
    kind: Kind | None
    optional: bool
    choices: list[str]

    @classmethod
    def of(cls, slot: Slot) -> "SlotOut":
        kind = slot.kind if slot.type is SlotType.COPIED else None
        return cls(name=slot.name, type=slot.type, kind=kind, optional=slot.optional, choices=list(slot.choices))


class TemplateOut(BaseModel):
    """`bodies` by locale, with their slots still open."""

    id: str
    bodies: dict[str, str]
    slots: list[SlotOut]

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        bodies = {locale: template.leads.get(locale, "") + body for locale, body in template.bodies.items()}
        return cls(id=template.id, bodies=bodies, slots=[SlotOut.of(slot) for slot in template.slots])
