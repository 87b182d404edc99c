"""The shape of a pack's TOML files; see `load` for the folder."""

from pydantic import Field, model_validator

from prompts.hours import Hours
from prompts.pack import Limits, Lookup
from prompts.template import Action, Frozen, Slot, Template, TemplateLookup

Localised = dict[str, str]


class PackFile(Frozen):
    """`pack.toml`. The keys are those of `Pack`."""

    brand: str = Field(min_length=1)
    tone: str = ""
    locale: str = "en"
    locales: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    rollout: int = Field(default=100, ge=1, le=100)
    greeting: Localised
    starters: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    values: dict[str, Localised] = Field(default_factory=dict)
    limits: Limits = Limits()
    lookups: dict[str, Lookup] = Field(default_factory=dict)
    hours: Hours | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_locales(cls, data: dict[str, object]) -> dict[str, object]:
        """One locale if none is listed."""
        return data if "locales" in data else {**data, "locales": (data.get("locale", "en"),)}


class TemplateFile(Frozen):
    """`templates/<id>.toml`. `body`, `lead` and `quick_replies` are tables keyed by locale."""

    id: str | None = None
    when: str = Field(default="", pattern=r"^[^\r\n]*$")
    action: Action = Action.REPLY
    hidden: bool = False
    slots: dict[str, Slot] = Field(default_factory=dict)
    body: Localised
    lead: Localised = Field(default_factory=dict)
    quick_replies: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lookup: TemplateLookup | None = None
    examples: tuple[str, ...] = ()
    promise: bool = False

    def template(self, template_id: str) -> Template:
        """The template of the file called `template_id`."""
        return Template(
            id=template_id,
            slots=tuple(slot.model_copy(update={"name": name}) for name, slot in self.slots.items()),
            bodies={locale: text.strip() for locale, text in self.body.items()},
            leads=self.lead,
            when=self.when,
            action=self.action,
            hidden=self.hidden,
            quick_replies=self.quick_replies,
            lookup=self.lookup,
            examples=self.examples,
            promise=self.promise,
        )
