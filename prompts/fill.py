"""Filling a template while the engine is still writing.

One `Fill` serves one attempt. `feed` it the engine's text as it comes; it answers with steps:

    Shown(text)          the visible text has grown by `text`
    LookupNeeded(call)   make this lookup now and hand the answer to `provide`
    ReplyDone(reply)     everything that the customer reads is final

Static text shows as soon as the template is known, a slot once its value has closed and is lawful. A template
with a lookup shows only its lead until the lookup has answered. Nothing shown is ever taken back: if the engine
breaks a rule, `InvalidReply` is raised and the attempt is over. However the text is cut into chunks, the visible
text ends the same.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from prompts.characters import one_line
from prompts.errors import InvalidReply
from prompts.lookup import FactValue, LookupCall, LookupOutcome, LookupResult, checked_facts
from prompts.pack import Pack
from prompts.render import Rendered, render_prefix
from prompts.reply_stream import ReplyStream
from prompts.schema import ActionReason, Sentiment
from prompts.slots import lawful
from prompts.spoken import spoken
from prompts.template import Action, SlotType, Template

DEMAND_MAX_CHARS = 200


@dataclass(frozen=True)
class FilledSlot:
    """A slot's value and where it comes from."""

    value: FactValue
    source: SlotType


@dataclass(frozen=True)
class FilledReply:
    """A finished reply. `template` is the one that speaks: after a failed lookup the fall-back, while `chosen` is
    the engine's own choice. `slots` holds every slot of the chosen template, null ones too, and the facts.
    """

    action: Action
    template: str
    chosen: str
    slots: Mapping[str, FilledSlot]
    text: str
    quick_replies: tuple[str, ...]
    lookup: LookupResult | None


@dataclass(frozen=True)
class Annotation:
    """What the engine tells the staff."""

    demand: str
    sentiment: Sentiment
    action_reason: ActionReason


@dataclass(frozen=True)
class Shown:
    """The visible text has grown by `text`."""

    text: str


@dataclass(frozen=True)
class LookupNeeded:
    """A lookup's arguments have closed."""

    call: LookupCall


@dataclass(frozen=True)
class ReplyDone:
    """The reply is final."""

    reply: FilledReply


Step = Shown | LookupNeeded | ReplyDone


class Fill:
    """The state of one attempt.

    `texts` are the customer's own messages of this conversation (in prompt form, which is what the engine saw)
    and texts of earlier lookup results: copied values must occur there. `only` restricts the templates as in
    `reply_schema`. Read-only state: `visible`, `template`, `needs_lookup`, `reply` and the properties.
    """

    def __init__(self, pack: Pack, locale: str | None, texts: Sequence[str], *, only: Set[str] | None = None) -> None:
        self.visible = ""
        self.template: Template | None = None
        self.needs_lookup: LookupCall | None = None
        self.reply: FilledReply | None = None
        self._pack, self._locale, self._texts, self._only = pack, pack.locale_for(locale), tuple(texts), only
        self._stream = ReplyStream()
        self._values: dict[str, str | None] = {}
        self._result: LookupResult | None = None
        self._facts: dict[str, FactValue] = {}

    @property
    def reply_done(self) -> bool:
        """True once the JSON up to the end of `slots` is lawful and a lookup, if needed, has answered."""
        return self.reply is not None

    @property
    def head_closed(self) -> bool:
        """True once `slots` has closed: what follows is for the staff only."""
        return self._stream.head_closed

    @property
    def replay(self) -> str:
        """The reply as later prompts replay it: the engine's own text, closed after the slots if the rest is cut."""
        return self._stream.text if self.annotation else self._stream.head_text + "}"

    @property
    def annotation(self) -> Annotation | None:
        """The staff's part; None while it is missing, or if the text as a whole breaks the schema."""
        tail = self._stream.tail() if self._stream.closed else None
        if tail is None or not isinstance(tail["demand"], str):
            return None
        try:
            mood, reason = Sentiment(tail["sentiment"]), ActionReason(tail["action_reason"])
        except ValueError:
            return None
        return Annotation(one_line(tail["demand"])[:DEMAND_MAX_CHARS], mood, reason)

    def feed(self, chunk: str) -> list[Step]:
        """Takes the next piece of the engine's text. Raises `InvalidReply` if it cannot become a lawful reply.

        After the head has closed, nothing that follows can harm the reply any more.
        """
        was_closed = self._stream.head_closed
        self._stream.feed(chunk)
        if was_closed:
            return []
        self._read(self._stream.head())
        return [*self._show(), *self._call()]

    def end(self) -> None:
        """To be called when the engine's stream is over. Raises `InvalidReply` if it was cut inside the head."""
        if not self._stream.head_closed:
            raise InvalidReply("The output was cut before its slots had closed.")

    def provide(self, outcome: LookupOutcome, answer: Mapping[str, object] | None = None) -> list[Step]:
        """Takes the lookup's answer; one that breaks the declared facts counts as failed."""
        if self.needs_lookup is None or self._result is not None:
            raise ValueError("No lookup is waiting for an answer.")
        name, outcome = self.needs_lookup.name, LookupOutcome(outcome)
        if outcome is LookupOutcome.FOUND:
            try:
                self._facts = checked_facts(self._pack.lookups[name], answer or {})
            except ValueError:
                outcome = LookupOutcome.FAILED
        self._result = LookupResult(name, outcome)
        return self._show()

    def _read(self, head: Mapping[str, object]) -> None:
        """Takes what the head tells so far."""
        if self.template is None and "template" in head:
            self.template = self._chosen(head["action"], head["template"])
        if self.template is None or "slots" not in head:
            return
        slots = head["slots"]
        asked = {slot.name: slot for slot in self.template.asked}
        if not isinstance(slots, dict) or not slots.keys() <= asked.keys():
            raise InvalidReply(f"Template {self.template.id} does not have these slots.")
        for name in slots.keys() - self._values.keys():
            self._values[name] = lawful(asked[name], slots[name], self._texts)
        if self._stream.head_closed and slots.keys() != asked.keys():
            raise InvalidReply(f"Template {self.template.id} lacks a slot.")

    def _chosen(self, action: object, name: object) -> Template:
        """The template that the engine names, if it may."""
        template = self._pack.templates.get(name) if isinstance(name, str) else None
        if template is None or template.hidden or (self._only is not None and template.id not in self._only):
            raise InvalidReply("The template is not one of those offered.")
        if template.action != action:
            raise InvalidReply(f"Template {template.id} does not go with this action.")
        return template

    def _call(self) -> list[Step]:
        """The lookup to make, once, as soon as each of its arguments has a value; none if one is null."""
        if self.needs_lookup or self.template is None or self.template.lookup is None:
            return []
        name = self.template.lookup.name
        args = {arg: self._values.get(arg) for arg in self._pack.lookups[name].args}
        if None in args.values():
            return []
        self.needs_lookup = LookupCall(name, args)
        return [LookupNeeded(self.needs_lookup)]

    def _show(self) -> list[Step]:
        """What has become visible, and the reply if that was all."""
        if self.template is None or self.reply:
            return []
        body = self._body(self.template)
        text = (self.template.leads.get(self._locale, "") + body.text).strip()
        grown, self.visible = text[len(self.visible) :], text
        steps: list[Step] = [Shown(grown)] if grown else []
        if body.whole and self._stream.head_closed:
            self.reply = self._finished(self.template)
            steps.append(ReplyDone(self.reply))
        return steps

    def _speaker(self, template: Template) -> Template:
        """The template whose body speaks: the fall-back after a lookup that found nothing or failed."""
        if template.lookup is None or self._result is None or self._result.outcome is LookupOutcome.FOUND:
            return template
        missed = self._result.outcome is LookupOutcome.NOT_FOUND
        return self._pack.templates[template.lookup.not_found if missed else template.lookup.failed]

    def _body(self, template: Template) -> Rendered:
        """The body as far as it can be shown."""
        speaker = self._speaker(template)
        if template.lookup is not None and self._awaits_lookup(template):
            return Rendered("", whole=False)
        facts = self._pack.facts_of(template)
        told = {name: spoken(facts[name], value, self._locale) for name, value in self._facts.items()}
        known = self._pack.constants(self._locale) | self._values | told
        unknown = {slot.name for slot in template.asked} - self._values.keys()
        return render_prefix(speaker.bodies[self._locale], known, unknown)

    def _awaits_lookup(self, template: Template) -> bool:
        """True until the lookup has answered, or is known not to be needed because an argument is null."""
        args = self._pack.lookups[template.lookup.name].args if template.lookup else ()
        needless = any(arg in self._values and self._values[arg] is None for arg in args)
        return self._result is None and not needless

    def _finished(self, template: Template) -> FilledReply:
        """The reply as it is stored."""
        speaker = self._speaker(template)
        slots = {slot.name: FilledSlot(self._values[slot.name], slot.type) for slot in template.asked}
        facts = {name: FilledSlot(value, SlotType.FACT) for name, value in self._facts.items()}
        return FilledReply(
            action=speaker.action,
            template=speaker.id,
            chosen=template.id,
            slots=slots | facts,
            text=self.visible,
            quick_replies=speaker.quick_replies.get(self._locale, ()),
            lookup=self._result,
        )
