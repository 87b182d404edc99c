"""What is asked and what counts as right."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from backend.training.catalogues import PACK, foreign, renamed_shop, shop
from backend.training.corpora import LABELS, Sources, bitext, clinc, labelled, real
from backend.training.dialogues import Scene, Talk
from backend.training.speaker import AMBIGUOUS, SAME, SMALL_TALK, Speaker
from backend.training.tables import table
from prompts import Line, Pack, load_pack

HELD_PACK = LABELS.parent / "evaluation" / "packs" / "trailhead"
NEGATIVE = frozenset({"clarify", "out_of_scope", "other_language", "contact_human_agent", "handoff"})
CLINC_OTHERS, MADE = 400, 400


@dataclass(frozen=True)
class Asked:
    """One turn: the text and what is right.

    Nothing is judged of templates that are empty, of slots that are not in `judged`, of what else is None.
    `reference` is a person's reply.
    """

    text: str
    templates: frozenset[str]
    slots: dict[str, str | None] | None = None
    judged: frozenset[str] = frozenset()
    reason: str | None = None
    demand: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Case:
    """A conversation to go through; every turn is judged. `history` is what went before, in the engine's words."""

    turns: Sequence[Asked]
    pack: Pack = field(repr=False)
    history: tuple[Line, ...] = ()


def bitext_cases(sources: Sources, part: str = "test") -> list[Case]:
    """Bitext's held-out utterances."""
    own = shop()
    cases = []
    for said in bitext(sources, part):
        slots = {slot: said.values.get(entity) for slot, entity in own.slots[said.intent].items()}
        cases.append(Case([Asked(said.text, frozenset({said.intent}), slots, frozenset(slots))], own.pack))
    return cases


def cucom_cases(name: str = "cucom_test", *, is_lenient: bool = False) -> list[Case]:
    """Customers' own words, labelled by hand. Lenient: a second reading that the text allows counts too."""
    own = shop()
    cases = []
    for row in labelled(name):
        said = real(str(row["text"]), str(row["template"]), own.pack.brand)
        right = frozenset({str(row["template"]), *(row.get("also", []) if is_lenient else [])})
        slots = {"order_id": said.values.get("order_id")}
        cases.append(Case([Asked(said.text, right, slots, frozenset(slots))], own.pack))
    return cases


def outside_cases(sources: Sources) -> list[Case]:
    """CLINC150's test part: what is out of everybody's scope, and other services' requests."""
    data = clinc(sources, "test")
    others = [
        text for key, texts in data.items() if key not in {*SMALL_TALK, *SAME, *AMBIGUOUS, "oos"} for text in texts
    ]
    texts = data["oos"] + Random(7).sample(others, CLINC_OTHERS)
    return [Case([Asked(text, NEGATIVE)], shop().pack) for text in texts]


def domain_cases(sources: Sources, domain: str) -> list[Case]:
    """CLINC150's test part of a domain that no training saw, in a pack of its own: 15 templates and "clarify"."""
    domains = json.loads((sources.folder / "clinc150" / "domains.json").read_text(encoding="utf-8"))
    lines = table("intents")["clinc"]
    made = foreign(Random(5), [(key, lines[key]) for key in domains[domain]], has_general=False, keeps_names=True)
    data = clinc(sources, "test")
    return [Case([Asked(text, frozenset({made.ids[key]}))], made.pack) for key in domains[domain] for text in data[key]]


def made_cases(speaker: Speaker, *, turns: tuple[int, int], count: int = MADE, seed: int = 99) -> list[Case]:
    """Conversations of our own grammar with fresh values. They test copying and memory, not language."""
    cases = []
    for number in range(count):
        rng = Random(seed * 100_000 + number)
        scene, talk = Scene(shop(), speaker, rng), Talk()
        cases.append(Case([_asked(scene, talk) for _ in range(rng.randint(*turns))], shop().pack))
    return cases


def renamed_cases(speaker: Speaker, count: int = 300, seed: int = 98) -> list[Case]:
    """Single messages to the shop under other names, lines and sizes: is the catalogue read?"""
    cases = []
    for number in range(count):
        rng = Random(seed * 100_000 + number)
        scene = Scene(renamed_shop(rng, []), speaker, rng)
        cases.append(Case([_asked(scene, Talk())], scene.catalogue.pack))
    return cases


def _asked(scene: Scene, talk: Talk) -> Asked:
    """A made turn as a question."""
    turn = scene.turn(talk)
    reply = json.loads(turn.reply)
    judged = frozenset(reply["slots"]) - turn.hidden
    return Asked(
        turn.text, frozenset({reply["template"]}), reply["slots"], judged, reply["action_reason"], reply["demand"]
    )


def written_cases(name: str, pack: Path = PACK) -> list[Case]:
    """A committed file of conversations written by hand: the format of `benchmarks.reply_quality`."""
    loaded = load_pack(pack)
    cases = []
    for line in (LABELS.parent / "evaluation" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        turns = [turn for turn in json.loads(line)["turns"] if turn["role"] == "customer"]
        cases.append(Case([_written(turn) for turn in turns], loaded))
    return cases


def _written(turn: dict[str, object]) -> Asked:
    templates = str(turn["template"]).split("|")
    slots = turn.get("slots")
    return Asked(
        str(turn["text"]),
        frozenset(templates),
        slots if isinstance(slots, dict) else None,
        frozenset(slots) if isinstance(slots, dict) else frozenset(),
        str(turn["reason"]) if "reason" in turn else None,
    )
