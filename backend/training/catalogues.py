"""Catalogues to read: the shop's own, the shop's in other words and sizes, other brands' made of public intents."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

from backend.training.tables import table, words
from backend.training.values import NOUNS, digits, word
from prompts import Action, Kind, Pack, Slot, SlotType, Template, load_pack

PACKS = Path(__file__).parents[2] / "prompts" / "packs"
PACK, BANK_PACK = PACKS / "demo-shop", PACKS / "bank"
ACTIONS = {
    "clarify": Action.CLARIFY,
    "out_of_scope": Action.CLARIFY,
    "other_language": Action.CLARIFY,
    "contact_human_agent": Action.HANDOFF,
    "handoff": Action.HANDOFF,
}
# What a slot may be called elsewhere. The first name is the shop's.
SLOT_NAMES = {
    "order_id": ("order_id", "order_no", "order", "purchase_id", "order_number", "reference"),
    "product": ("product", "item", "article", "goods"),
    "amount": ("amount", "sum", "price", "value"),
    "date": ("date", "day", "since"),
    "city": ("city", "place", "destination", "location"),
    "email": ("email", "mail", "email_address"),
    "name": ("name", "customer", "customer_name"),
    "account_type": ("account_type", "plan", "tier", "account"),
}
BRANDS = [
    "Norwick",
    "Harlan",
    "Bluefin",
    "Pinecrest",
    "Velora",
    "Oakhaven",
    "Tindra",
    "Marlowe",
    "Quillby",
    "Sonnet",
    "Fernway",
    "Kestrel",
    "Lumora",
    "Hollis",
    "Juniper",
    "Briar",
]
TRADES = (
    "an online shop",
    "a fashion store",
    "a bank",
    "a travel service",
    "an electronics store",
    "a car rental",
    "a telecom company",
    "a pet shop",
    "a book store",
    "an insurance",
    "a grocery service",
    "a hotel group",
    "a gym",
    "a furniture store",
    "a garden shop",
    "a software company",
)
TONES = ("warm, brief and concrete", "friendly", "calm and precise", "polite and short", "cheerful", "formal")
SYSTEMS = (
    "You answer the customers of {brand}, {trade}, in a {tone} tone.\nReply with one JSON object.\n"
    "Choose the template whose line fits the last message.\n"
    "Copy slot values from the customer's words; null if not given.\ndemand is one short English line.",
    "You are the assistant of {brand}, {trade}. Tone: {tone}.\n"
    "Every answer is a single JSON object: pick one template and fill its slots.\n"
    "Slots are copied exactly from what the customer wrote, null otherwise.",
    "{brand} is {trade}. You serve its customers in a {tone} tone with approved templates only. Answer in JSON.",
)
FOREIGN_SLOTS = words("foreign_slots")
_SMALL = frozenset(words("small_words"))
_MARK = re.compile(r"^(invented/|mined/|star/|trade/.*|[bnhm]_)")
"""What an intent's key begins with when it is another brand's; a trade's is its line, and no name."""


@dataclass(frozen=True)
class Catalogue:
    """A pack, and which template of it each intent means.

    `slots` maps a template's slot to the entity it holds, `says` an intent to messages that are its own.
    """

    pack: Pack
    ids: dict[str, str]
    slots: dict[str, dict[str, str]]
    says: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def template(self, intent: str) -> Template:
        return self.pack.templates[self.ids[intent]]


@cache
def shop() -> Catalogue:
    """The demo shop's own catalogue, exactly as it is served."""
    pack = load_pack(PACK)
    offered = {template.id: template for template in pack.offered}
    ids = {key: key for key in offered} | {f"handoff_{kind}": "handoff" for kind in ("anger", "legal", "threat")}
    return Catalogue(
        pack, ids, {key: {slot.name: slot.name for slot in template.asked} for key, template in offered.items()}
    )


@cache
def bank() -> Catalogue:
    """The demo bank's catalogue, exactly as it is served."""
    pack = load_pack(BANK_PACK)
    ids = {template.id: template.id for template in pack.offered}
    ids |= {f"handoff_{kind}": "handoff" for kind in ("anger", "legal", "threat")}
    return Catalogue(
        pack, ids, {template.id: {slot.name: slot.name for slot in template.asked} for template in pack.offered}
    )


def renamed_shop(
    rng: Random,
    extra: Sequence[tuple[str, str]],
    dictionary: Sequence[str] = NOUNS,
    says: Mapping[str, Sequence[str]] | None = None,
) -> Catalogue:
    """The shop with other names, lines, slots, order and size; `extra` (intent, when) are strangers in it."""
    others, own = table("catalogue"), shop()
    keep = rng.choice((1.0, 0.85, 0.6, 0.4))
    chosen = [key for key in own.slots if rng.random() < keep or key in ("clarify", "out_of_scope")]
    rename, reword = rng.choice((0.0, 0.4, 1.0)), rng.choice((0.2, 0.6, 1.0))
    naming = {entity: rng.choice(names) if rng.random() < 0.5 else entity for entity, names in SLOT_NAMES.items()}
    built = []
    for key in chosen:
        template = own.pack.templates[key]
        when = rng.choice(others[key]["when"]) if rng.random() < reword else template.when
        new_id = key
        if rng.random() < rename:
            new_id = _fresh_id(rng, str(rng.choice(others[key]["ids"])), when, dictionary)
        entities = [slot.name for slot in template.asked if rng.random() < 0.85 or key == "order_details"]
        built.append(_Entry(key, new_id, when, template.action, {naming[name]: name for name in entities}))
    built += [_Entry(key, _fresh_id(rng, key, when, dictionary), when, Action.REPLY, {}) for key, when in extra]
    return _assembled(rng, built, shuffled=rng.random() < 0.7, says=says)


def foreign(
    rng: Random,
    intents: Sequence[tuple[str, str]],
    dictionary: Sequence[str] = NOUNS,
    says: Mapping[str, Sequence[str]] | None = None,
    *,
    has_general: bool = True,
    keeps_names: bool = False,
    slots: Callable[[str], Mapping[str, str]] | None = None,
) -> Catalogue:
    """Another brand's catalogue of (intent, when), with the general templates that every brand has.

    `slots` tells an intent's; else they are drawn. `keeps_names`: an intent's name is its template's, and there are no
    slots and no hand-offs.
    """
    others = table("catalogue")
    is_bare = rng.random() < 0.3
    built = [
        _Entry(key, key, when, Action.REPLY, {})
        if keeps_names
        else _Entry(
            key,
            _fresh_id(rng, key, when, dictionary),
            when,
            Action.REPLY if rng.random() < 0.9 else Action.HANDOFF,
            {} if is_bare else dict(slots(key)) if slots else _foreign_slots(rng),
        )
        for key, when in intents
    ]
    for key in (
        "clarify",
        "out_of_scope",
        "contact_human_agent",
        "handoff",
        "greeting",
        "thanks",
        "goodbye",
        "other_language",
        "small_talk",
    ):
        if has_general and (rng.random() < 0.7 or key == "clarify"):
            when = rng.choice([*others[key]["when"], shop().template(key).when])
            new_id = _fresh_id(rng, str(rng.choice(others[key]["ids"])), when, dictionary)
            built.append(_Entry(key, new_id, when, ACTIONS.get(key, Action.REPLY), {}))
    return _assembled(rng, built, shuffled=True, says=says)


@dataclass(frozen=True)
class _Entry:
    intent: str
    template_id: str
    when: str
    action: Action
    slots: dict[str, str]


def _assembled(
    rng: Random, built: list[_Entry], *, shuffled: bool, says: Mapping[str, Sequence[str]] | None = None
) -> Catalogue:
    """A pack of entries; a second entry of the same id is renamed."""
    if shuffled:
        rng.shuffle(built)
    taken: dict[str, _Entry] = {}
    for entry in built:
        fresh = entry.template_id
        while fresh in taken:
            fresh = f"{fresh}_{digits(rng, 2, 2)}"
        taken[fresh] = replace(entry, template_id=fresh)
    templates = {key: _template(entry) for key, entry in taken.items()}
    ids = {entry.intent: key for key, entry in taken.items()}
    if "handoff" in ids:
        ids |= {f"handoff_{kind}": ids["handoff"] for kind in ("anger", "legal", "threat")}
    base = shop().pack
    system, policies = _system(rng, base)
    pack = base.model_copy(update={"system": system, "policies": policies, "templates": templates})
    return Catalogue(pack, ids, {key: entry.slots for key, entry in taken.items()}, says or {})


def _template(entry: _Entry) -> Template:
    slots = tuple(
        Slot(name=name, type=SlotType.COPIED, kind=Kind.TEXT, optional=entry.intent != "order_details")
        for name in entry.slots
    )
    return Template.model_construct(
        id=entry.template_id,
        when=entry.when,
        action=entry.action,
        hidden=False,
        slots=slots,
        bodies={},
        leads={},
        quick_replies={},
        lookup=None,
    )


def _system(rng: Random, base: Pack) -> tuple[str, tuple[str, ...]]:
    """Another brand's words before the catalogue; often the shop's own with the names changed."""
    brand, trade, tone = (
        rng.choice(BRANDS) if rng.random() < 0.4 else word(rng).capitalize(),
        rng.choice(TRADES),
        rng.choice(TONES),
    )
    policies = tuple(text for text in base.policies if rng.random() < 0.7)
    if rng.random() < 0.5:
        text = base.system.replace(base.brand, brand).replace(base.tone, tone)
        return re.sub(r"an online shop for home and clothing", trade, text), policies
    return rng.choice(SYSTEMS).format(brand=brand, trade=trade, tone=tone), policies


def _fresh_id(rng: Random, key: str, when: str, dictionary: Sequence[str]) -> str:
    """A template's name: its own, words of its line, any words, or one that says nothing.

    Most are drawn anew for every catalogue, so that reading it is the only way to know them.
    """
    clean = re.sub(r"[^a-z0-9]+", "_", _MARK.sub("", key).lower()).strip("_")
    kind = rng.random()
    if kind < 0.2 and clean[:1].isalpha():
        parts = clean.split("_")
        if rng.random() < 0.3:
            rng.shuffle(parts)
        return "_".join(parts)
    if kind < 0.5:
        telling = [word for word in re.findall(r"[a-z]{3,}", when.lower()) if word not in _SMALL]
        if telling:
            return "_".join(rng.sample(telling, min(len(telling), rng.choice((1, 2, 2, 3)))))
    if kind < 0.88:
        return "_".join(rng.choice(dictionary) for _ in range(rng.choice((1, 2, 2, 2, 3)))).replace(" ", "_")
    if kind < 0.93:
        return f"{word(rng)}_{word(rng)}"
    return f"{rng.choice(('t', 'reply', 'flow', 'case', 'tpl', 'r'))}_{digits(rng, 1, 3)}"


def _foreign_slots(rng: Random) -> dict[str, str]:
    count = rng.choices((0, 1, 2), (5, 4, 2))[0]
    return {name: name for name in rng.sample(FOREIGN_SLOTS, count)}
