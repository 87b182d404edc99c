"""What a template is: an approved text with typed slots."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Action(StrEnum):
    """What a reply does. Every action speaks through a template, and a template has one action."""

    REPLY = "reply"
    CLARIFY = "clarify"
    HANDOFF = "handoff"


class SlotType(StrEnum):
    """Where a slot's value comes from; also the `source` that agents see."""

    COPIED = "copied"
    CHOICE = "choice"
    FACT = "fact"
    GENERATED = "generated"


class Kind(StrEnum):
    """What a copied value looks like."""

    TEXT = "text"
    ORDER_ID = "order_id"
    EMAIL = "email"
    PHONE = "phone"
    AMOUNT = "amount"
    DATE = "date"


class Frozen(BaseModel):
    """A value object read from a pack's files: immutable, and a key that nobody knows is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Slot(Frozen):
    """A gap in a template.

    `copied` values must occur in the customer's own words, in the shape of `kind` or `pattern` (a regular
    expression that the whole value matches). `choice` takes one of `choices`. `fact` comes from the template's
    lookup. `generated` is free text of at most `max_chars`. An `optional` slot may be null.
    """

    name: str = ""
    type: SlotType
    kind: Kind = Kind.TEXT
    pattern: str | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    max_chars: int = Field(default=60, gt=0)

    @model_validator(mode="after")
    def _choices_fit(self) -> "Slot":
        if (self.type is SlotType.CHOICE) != bool(self.choices):
            raise ValueError("A slot has `choices` exactly if its type is choice")
        return self


class TemplateLookup(Frozen):
    """The lookup a template speaks from, and the hidden templates that speak when it finds nothing or fails."""

    name: str
    not_found: str
    failed: str


class Template(Frozen):
    """One approved text. `bodies`, `leads` and `quick_replies` are keyed by locale.

    The customer reads `lead` + body. A template with a lookup shows only its lead until the lookup has answered.
    A `hidden` template is never offered to the engine: it is a fall-back or a notice. `examples` are things that
    customers say who should get it; the engine never reads them, `check --replica` asks it for them. A text with a
    `promise` commits us to something, which the staff is shown.
    """

    id: str
    when: str = ""
    action: Action = Action.REPLY
    hidden: bool = False
    slots: tuple[Slot, ...] = ()
    bodies: dict[str, str]
    leads: dict[str, str] = Field(default_factory=dict)
    quick_replies: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lookup: TemplateLookup | None = None
    examples: tuple[str, ...] = ()
    promise: bool = False

    @property
    def asked(self) -> tuple[Slot, ...]:
        """The slots that the engine writes: all but facts, in the order of the file."""
        return tuple(slot for slot in self.slots if slot.type is not SlotType.FACT)

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The templates that speak in its place when its lookup finds nothing or fails."""
        return (self.lookup.not_found, self.lookup.failed) if self.lookup else ()
