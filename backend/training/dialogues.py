"""Whole conversations over a catalogue: what the customer says next, and what the right answer is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from backend.training.catalogues import Catalogue
from backend.training.follow_ups import CARRIED, START, Next, following, spoken
from backend.training.frames import distractor, told_behind
from backend.training.grammar import Piece, Utterance
from backend.training.noise import disturb
from backend.training.speaker import Speaker, merged
from backend.training.targets import NEEDS_ORDER, demand, reason, sentiment
from backend.training.values import MAKERS
from backend.training.written import Known, told_anew
from prompts import compact, prompt_form

FOLLOWS, BEGINS = 0.5, 0.14
WRITTEN = 0.5
"""How many of a shop's conversations are ones that were written down."""
LENGTHS, LENGTH_WEIGHTS = (1, 2, 3, 4, 5, 6, 7, 8), (25, 17, 13, 12, 10, 9, 7, 7)
REALITY = {
    "cancel_order": 2.0,
    "track_order": 2.5,
    "order_late": 2.0,
    "item_damaged": 2.0,
    "item_wrong": 2.0,
    "item_missing": 2.0,
    "refund_late": 1.8,
    "not_received": 2.0,
    "return_problem": 1.6,
    "return_item": 1.5,
    "payment_issue": 1.8,
    "order_cancelled_by_shop": 1.6,
    "clarify": 2.6,
    "out_of_scope": 40.0,
    "other_language": 2.5,
    "contact_human_agent": 2.2,
    "order_details": 1.5,
    "greeting": 1.2,
    "complaint": 1.3,
    "change_shipping_address": 1.3,
    "get_refund": 1.3,
}
CLOSERS = (
    ("thanks", 12),
    ("goodbye", 7),
    ("clarify", 7),
    ("other_language", 3),
    ("out_of_scope", 8),
    ("contact_human_agent", 5),
    ("small_talk", 4),
    ("handoff_anger", 4),
    ("handoff_legal", 3),
    ("handoff_threat", 2),
    ("greeting", 2),
)
AGENT_LINES = (
    "I have looked into it for you.",
    "Hello, this is {}, I take over.",
    "Your parcel is on its way again.",
    "I sent you an email.",
    "Let me check.",
    "It is solved now.",
)


Said = tuple[Utterance, str, Mapping[str, str]]
"""A message, its intent, and the values that count."""


_NUMBER_EXPECTED = (
    "#it", "number it", "id it", "no. it", "order it", "nr it", "(it", "purchase it", "id: it", "no it", "ordr it",
    "ref it", "is it.", "s it.", "re: ", "subject:",
)  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """One customer message and the right answer. `hidden` are slots whose truth nobody knows: no lesson there.

    `source` is the real message behind it, if any.
    """

    text: str
    reply: str
    hidden: frozenset[str]
    intent: str
    source: str = ""


@dataclass
class Talk:
    """What has been said so far."""

    orders: list[str] = field(default_factory=list)
    intent: str = ""
    values: dict[str, str] = field(default_factory=dict)
    is_waiting: bool = False
    told: dict[str, str] = field(default_factory=dict)

    @property
    def same_thing(self) -> dict[str, str]:
        """The product that was spoken of."""
        return {"product": self.told["product"]} if "product" in self.told else {}


@dataclass(frozen=True)
class Scene:
    """A catalogue, its customers and chance."""

    catalogue: Catalogue
    speaker: Speaker
    rng: Random

    def dialogue(self) -> list[Turn]:
        """A conversation of 1 to 8 turns, or one that was written down."""
        if not self._is_foreign and self.rng.random() < WRITTEN:
            return self._written() or self.dialogue()
        talk, turns = Talk(), []
        for _ in range(self.rng.choices(LENGTHS, LENGTH_WEIGHTS)[0]):
            turns.append(self.turn(talk))
        return turns

    def _written(self) -> list[Turn]:
        """As much of a conversation that was written down as the catalogue has answers for."""
        talk, turns = Talk(), []
        for said, known in told_anew(self.rng):
            if said.intent not in self.catalogue.ids:
                break
            turns.append(self.answered(talk, said, said.intent, known))
        return turns

    def turn(self, talk: Talk) -> Turn:
        said, intent, values = self._next(talk)
        return self.answered(talk, said, intent, values)

    def answered(self, talk: Talk, said: Utterance, intent: str, values: Known) -> Turn:
        """The turn in which `said` means `intent`, and what it leaves behind in `talk`."""
        template = self.catalogue.template(intent)
        asked = self.catalogue.slots[template.id]
        if "order_id" in said.values and said.values["order_id"] not in talk.orders:
            talk.orders.append(said.values["order_id"])
        known = dict(values)
        if "order_id" in asked.values() and "order_id" not in known.keys() | said.unknown and talk.orders:
            known["order_id"] = talk.orders[-1]
        by_entity = {entity: known.get(entity) for entity in asked.values()}
        text = self._as_sent(said)
        reply = {
            "action": template.action.value,
            "template": template.id,
            "slots": {slot: by_entity[entity] for slot, entity in asked.items()},
            "demand": demand(intent, by_entity, template.when),
            "sentiment": sentiment(intent, text).value,
            "action_reason": reason(intent, by_entity).value,
        }
        unknown = (said.unknown | (CARRIED & talk.told.keys())) - known.keys()
        hidden = frozenset(slot for slot, entity in asked.items() if entity in unknown)
        waiting = intent in NEEDS_ORDER and "order_id" in by_entity and by_entity["order_id"] is None
        talk.intent, talk.values, talk.is_waiting = (
            intent,
            {key: value for key, value in known.items() if value},
            waiting,
        )
        talk.told |= said.values
        return Turn(text, compact(reply), hidden, intent, said.source)

    def _as_sent(self, said: Utterance) -> str:
        """The user message as `prompts.assemble` would build it, sometimes with an agent's lines before."""
        text = prompt_form(said.text)
        if self.rng.random() < 0.02:
            line = self.rng.choice(AGENT_LINES).format("Anna")
            return f"[{self.rng.choice(('agent', 'agent', 'note'))}] {line}\n{text}"
        return text

    def _next(self, talk: Talk) -> Said:
        """What comes next: what follows from the last, an answer, a correction, a remark, or another subject."""
        rng, kind = self.rng, self.rng.random()
        if not self._is_foreign and rng.random() < (FOLLOWS if talk.intent else BEGINS):
            followed = self._follow_up(talk)
            if followed:
                return followed
        if talk.is_waiting and kind < 0.5:
            return self._number(talk, "give")
        if talk.values.get("order_id") and talk.intent in NEEDS_ORDER | {"order_details"} and kind < 0.14:
            return self._number(talk, "correct")
        if len(talk.orders) > 1 and talk.intent in NEEDS_ORDER and kind < 0.3:
            return self._other(talk)
        if talk.intent and rng.random() < (0.2 if self._is_foreign else 0.42):
            names, weights = zip(*CLOSERS, strict=True)
            intent = rng.choices(names, weights)[0]
            if intent in self.catalogue.ids:
                said = self.speaker.say(intent, rng)
                return said, intent, said.values
        if not talk.intent and "order_details" in self.catalogue.ids and rng.random() < 0.03:
            said = self.speaker.fragment("give", rng)
            return said, "order_details", said.values
        return self._subject(talk)

    def _follow_up(self, talk: Talk) -> Said | None:
        """A line of the talks; none if nothing fits."""
        lines = [line for line in following().get(talk.intent or START, ()) if self._fits(line, talk)]
        return self._led(talk, self.rng.choice(lines)) if lines else None

    def _led(self, talk: Talk, line: Next) -> Said | None:
        """A line that fits; none if it gives a value that is known already."""
        if line.is_first:
            talk.orders.append(talk.orders.pop(0))
        said = spoken(line, talk.told | ({"order_id": talk.orders[-1]} if talk.orders else {}), self.rng)
        if not line.intent and not line.is_new and said.values.keys() & talk.values.keys():
            return None
        if line.is_fix:
            talk.orders.pop()
        if (line.is_new and not line.is_fix) or line.is_first:
            talk.told = {}
        return said, line.intent or talk.intent, {**(talk.same_thing if line.intent else talk.values), **said.values}

    def _fits(self, line: Next, talk: Talk) -> bool:
        """Whether the catalogue has an answer to a line, and the talk the orders that it leans on."""
        orders = 2 if line.is_first else 1 if line.is_new else 0
        return (line.intent or talk.intent) in self.catalogue.ids and len(talk.orders) >= orders

    def _number(self, talk: Talk, which: str) -> Said:
        """A bare number, given or corrected: the subject stays."""
        said = self.speaker.fragment(which, self.rng)
        number = said.values["order_id"]
        if which == "correct" and talk.orders:
            talk.orders.pop()
        return said, talk.intent, {**talk.values, "order_id": number}

    def _other(self, talk: Talk) -> Said:
        """\"The other order\" of two."""
        current = talk.values.get("order_id")
        other = next((number for number in reversed(talk.orders) if number != current), talk.orders[0])
        talk.orders.remove(other)
        talk.orders.append(other)
        return self.speaker.fragment("other", self.rng), talk.intent, {**talk.values, "order_id": other}

    def _subject(self, talk: Talk) -> Said:
        """A new demand; later ones often speak of the order that is known."""
        intents = [key for key in self.catalogue.ids if key not in ("handoff", "order_details")]
        intent = self.rng.choices(intents, [self._weight(key) for key in intents])[0]
        if self._is_strange(intent):
            said = self._strange(intent)
            return said, intent, said.values
        said = self.speaker.say(intent, self.rng)
        if talk.orders and self.rng.random() < 0.65:
            said = _without_order(said)
        if said.intent not in ("other_language", "clarify") and self.rng.random() < 0.03:
            said = replace(said, pieces=merged([self.speaker.say("greeting", self.rng), said]))
        if self.rng.random() < 0.04 and intent in NEEDS_ORDER:
            said = replace(said, pieces=[*said.pieces, *distractor(self.rng)])
        return said, intent, {**(talk.same_thing if talk.intent == "clarify" else {}), **said.values}

    @property
    def _is_foreign(self) -> bool:
        return not {"cancel_order", "track_order", "order_late"} & set(self.catalogue.ids)

    def _is_strange(self, intent: str) -> bool:
        """Another brand's: invented/..., trade/..., mined/..., or an intent of a public set."""
        return "/" in intent or intent in self.speaker.strangers

    def _weight(self, intent: str) -> float:
        if self._is_strange(intent):
            return 2.5
        return 0.7 if intent.startswith("handoff") else REALITY.get(intent, 1.0)

    def _strange(self, intent: str) -> Utterance:
        """Another brand's message; the numbers that its template asks for, and others, are now and then told."""
        rng = self.rng
        own = self.catalogue.says.get(intent)
        if own:
            quoted = rng.choice(own)
            said = disturb(Utterance([Piece(quoted)], intent, unknown=frozenset(MAKERS), source=quoted), rng)
        else:
            said = self.speaker.stranger(intent, rng)
        template_slots = list(self.catalogue.slots[self.catalogue.ids[intent]])
        pieces = list(said.pieces)
        for slot in template_slots:
            if slot not in said.values and rng.random() < (0.2 if said.values else 0.5):
                pieces += told_behind(slot, rng)
        if rng.random() < 0.08:
            pieces += distractor(rng)
        return replace(said, pieces=pieces)


def _without_order(said: Utterance) -> Utterance:
    """The message if it does not name an order, else with "my order" in the number's place."""
    if "order_id" not in said.values:
        return said
    plain = [Piece("it") if piece.entity == "order_id" else piece for piece in said.pieces]
    text = "".join(piece.text for piece in plain)
    if any(mark in text.lower() for mark in _NUMBER_EXPECTED):
        return said
    return replace(said, pieces=plain)
