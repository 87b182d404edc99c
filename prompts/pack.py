"""What a pack is: a brand's prompts and approved texts, addressed by the hash of its files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from prompts.hours import Hours
from prompts.render import render
from prompts.template import Frozen, Template


class Notice(StrEnum):
    """The hidden, slotless templates that the application itself speaks through."""

    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    HANDOFF_REQUESTED = "handoff_requested"
    AGENT_JOINED = "agent_joined"
    AGENT_LEFT = "agent_left"
    CLOSED = "closed"
    HANDOFF_OFFER = "handoff_offer"
    HANDOFF_AWAY = "handoff_away"
    MESSAGE_WANTED = "message_wanted"
    MESSAGE_LEFT = "message_left"


OPTIONAL_NOTICES = frozenset({Notice.HANDOFF_OFFER, Notice.HANDOFF_AWAY, Notice.MESSAGE_WANTED, Notice.MESSAGE_LEFT})
"""Those that a pack may lack: then no human is offered, and nothing is said of nobody being there."""


class FactType(StrEnum):
    """The JSON types of a lookup's answer; a `date` is an ISO 8601 day, spoken in the customer's locale."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"


class Fact(Frozen):
    """One value of a lookup's answer. With `choices`, nothing else is lawful; `optional` permits null."""

    type: FactType = FactType.STRING
    choices: tuple[str, ...] = ()
    optional: bool = False


LONGEST_LOOKUP = timedelta(seconds=10)
"""Two tries have to fit into a turn."""


class Lookup(Frozen):
    """Where facts come from: a Python `callable` ("module:function") or an HTTP JSON endpoint `url`.

    `args` are slot names, `facts` the response schema; what a response holds besides is dropped. The file gives
    `timeout` in seconds, as `timeout_s`.
    """

    callable: str | None = None
    url: str | None = None
    args: tuple[str, ...] = Field(min_length=1)
    timeout: timedelta = Field(
        default=timedelta(seconds=2), gt=timedelta(0), le=LONGEST_LOOKUP, validation_alias="timeout_s"
    )
    facts: dict[str, Fact] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> "Lookup":
        if (self.callable is None) == (self.url is None):
            raise ValueError("A lookup has either `callable` or `url`.")
        return self


class Limits(Frozen):
    """Bounds that `python -m prompts check` holds the pack to."""

    body_max_chars: int = 600
    quick_reply_max_chars: int = 40
    generated: bool = True


@dataclass(frozen=True)
class SpokenNotice:
    """A notice in one locale."""

    text: str
    quick_replies: tuple[str, ...]


class Pack(Frozen):
    """A loaded pack. Texts are keyed by locale; `version` is the first 12 hex digits of the files' SHA-256.

    `locales` are those that every text exists in, `languages` those that customers may write in.
    `values` are the brand's constants that bodies and the greeting may print ("opening_hours"); `hours` are the opening
    hours by which customers are told whether somebody is there, None if always. `rollout` is the percentage of new
    conversations that this version gets while an older one gets the rest; it is no part of the version.
    """

    name: str
    version: str
    brand: str
    tone: str = ""
    locale: str
    locales: tuple[str, ...]
    languages: tuple[str, ...]
    rollout: int = 100
    greeting: dict[str, str]
    starters: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    limits: Limits = Limits()
    lookups: dict[str, Lookup] = Field(default_factory=dict)
    hours: Hours | None = None
    system: str
    policies: tuple[str, ...] = ()
    templates: dict[str, Template]

    def __hash__(self) -> int:
        """What is derived from a whole pack (prompt, schema) is computed once and kept by it."""
        return hash((self.name, self.version, self.system))

    @property
    def offered(self) -> tuple[Template, ...]:
        """The templates that the engine may choose, in the order of the catalogue."""
        return tuple(template for template in self.templates.values() if not template.hidden)

    def locale_for(self, wanted: str | None, offered: Sequence[str] | None = None) -> str:
        """The locale nearest to a BCP 47 tag: the tag itself, its language, else the default or the first offered.

        `offered` restricts the pack's locales, see `offered_locales`.
        """
        among = self.locales if offered is None else offered
        tag = (wanted or self.locale).replace("_", "-").casefold()
        known = {locale.casefold(): locale for locale in among}
        languages = {key.split("-")[0]: locale for key, locale in reversed(known.items())}
        return known.get(tag) or languages.get(tag.split("-")[0]) or (self.locale if self.locale in among else among[0])

    def offered_locales(self, model_languages: Iterable[str]) -> tuple[str, ...]:
        """The locales to offer with a model of these languages; the default one if it speaks none of them."""
        spoken = {language.casefold().split("-")[0] for language in model_languages}
        fitting = tuple(locale for locale in self.locales if locale.casefold().split("-")[0] in spoken)
        return fitting or (self.locale,)

    def greeting_for(self, locale: str | None) -> SpokenNotice:
        """The greeting of an empty conversation, and the quick replies to begin with."""
        key = self.locale_for(locale)
        return SpokenNotice(render(self.greeting[key], self.constants(key)), self.starters.get(key, ()))

    def has_notice(self, name: Notice) -> bool:
        """Whether the pack says anything at `name`; only optional notices may be missing."""
        return name in self.templates

    def notice(self, name: Notice, locale: str | None) -> SpokenNotice:
        """What the application says at `name`."""
        key, template = self.locale_for(locale), self.templates[name]
        text = render(template.bodies[key], self.constants(key))
        return SpokenNotice(text, template.quick_replies.get(key, ()))

    def constants(self, locale: str) -> dict[str, str]:
        """What every body may print: `brand` and the pack's `values`."""
        return {"brand": self.brand} | {name: texts[locale] for name, texts in self.values.items()}

    def facts_of(self, template: Template) -> Mapping[str, Fact]:
        """The facts that a template may print: those of its lookup."""
        return self.lookups[template.lookup.name].facts if template.lookup else {}
