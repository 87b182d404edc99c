"""The public sets: read, cleaned, split. Test parts are taken out before anything else is done."""

import csv
import io
import json
import lzma
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backend.training.grammar import Piece, Utterance

_MONEY = re.compile(r"\$\s?\d[\d.,]*\d|\$\s?\d|\d[\d.,]*\s?(?:dollars|dollar|usd|bucks|\$)")
_NUMBER = re.compile(r"\d{4,}")
LABELS = Path(__file__).parent / "labels"
BITEXT_ENTITIES = {
    "order_id": "order_id",
    "refund_amount": "amount",
    "delivery_city": "city",
    "delivery_country": "city",
    "account_type": "account_type",
    "invoice_id": "invoice_id",
    "person_name": "person",
}
PLACEHOLDERS = {
    "Order Number": "order_id",
    "Account Type": "account_type",
    "Account Category": "account_type",
    "Refund Amount": "amount",
    "Delivery City": "city",
    "Delivery Country": "city",
    "Invoice Number": "invoice_id",
    "Person Name": "person",
    "Currency Symbol": "",
}
HELD_DOMAINS = ("auto_and_commute", "kitchen_and_dining")
ORDER = re.compile(r"(?<![\w-])(?=[\w-]*\d)[A-Za-z]{0,6}-?\d[\w-]{3,24}(?![\w-])")
BRANDS = re.compile(r"\bamazon(?:\.in|\.com)?(?: india)?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Sources:
    """The folder with the public sets, laid out as `labels/README.md` says."""

    folder: Path

    def read(self, name: str) -> str:
        """One xz-compressed file. Raises `FileNotFoundError` that names it."""
        path = self.folder / name
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is missing: see backend/training/labels/README.md for where it comes from."
            )
        return lzma.open(path, "rt", encoding="utf-8").read()

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.read(name))))


def labelled(name: str) -> list[dict[str, object]]:
    """A committed file of labels."""
    return [json.loads(line) for line in (LABELS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@cache
def written_outside() -> list[str]:
    """A committed file of what people ask that a shop does not do."""
    return (LABELS / "outside.txt").read_text(encoding="utf-8").splitlines()


def bitext(sources: Sources, part: str) -> list[Utterance]:
    """Bitext's utterances with their values marked. `part` is train or test."""
    if part == "test":
        return [_marked(row["utterance"], row) for row in sources.rows("bitext/intents_8k_test.csv.xz")]
    found = [_marked(row["utterance"], row) for row in sources.rows("bitext/intents_8k_train.csv.xz")]
    for name in ("replies_v0_one_template_per_intent", "replies_v1"):
        found += [_marked(row["instruction"], row) for row in sources.rows(f"bitext/{name}.csv.xz")]
    found += [_holes(row["instruction"], row["intent"]) for row in sources.rows("bitext/replies_v11_first5000.csv.xz")]
    unique = {said.text: said for said in found}
    return without_near_duplicates(unique.values(), bitext(sources, "test") + bitext_dev(sources))


def bitext_dev(sources: Sources) -> list[Utterance]:
    """The part on which thresholds may be chosen."""
    return [_marked(row["utterance"], row) for row in sources.rows("bitext/intents_8k_dev.csv.xz")]


def _marked(text: str, row: dict[str, str]) -> Utterance:
    """A row with its values marked. Numbers are read from the text: some are listed without zeros, others not."""
    entity = BITEXT_ENTITIES.get(row["entity_type"], "")
    found = _MONEY.search(text)
    if found and entity in ("", "amount"):
        return _around(text, found.span(), "amount", row["intent"])
    found = _NUMBER.search(text) if entity == "order_id" else None
    if found:
        return _around(text, found.span(), entity, row["intent"])
    at = text.lower().find(row["entity_value"].lower()) if entity else -1
    if at < 0:
        return Utterance([Piece(text)], row["intent"])
    return _around(text, (at, at + len(row["entity_value"])), entity, row["intent"])


def _around(text: str, span: tuple[int, int], entity: str, intent: str) -> Utterance:
    start, end = span
    return Utterance([Piece(text[:start]), Piece(text[start:end], entity), Piece(text[end:])], intent)


def _holes(text: str, intent: str) -> Utterance:
    """A row with {{Order Number}} and the like."""
    pieces: list[Piece] = []
    for part in re.split(r"(\{\{[^}]+\}\})", text):
        entity = PLACEHOLDERS.get(part.strip("{}")) if part.startswith("{{") else None
        pieces.append(Piece("1000", entity) if entity else Piece("" if part.startswith("{{") else part))
    return Utterance(pieces, intent)


def key(said: Utterance) -> str:
    """What two near-duplicates share: letters only, values by their names."""
    shown = "".join(f" {piece.entity} " if piece.entity else piece.text for piece in said.pieces)
    return re.sub(r"[^a-z]", "", shown.lower())


def without_near_duplicates(items: Iterable[Utterance], held: Iterable[Utterance]) -> list[Utterance]:
    """`items` without those that differ from a held-out one by case, digits, values, blanks or up to two letters."""
    near: set[str] = set()
    for said in held:
        near |= _deletions(key(said))
    return [said for said in items if near.isdisjoint(_deletions(key(said)))]


@cache
def _deletions(text: str) -> frozenset[str]:
    """The text with up to two letters left out: two texts one edit apart share one of them."""
    once = {text[:i] + text[i + 1 :] for i in range(len(text))}
    return frozenset({text} | once)


def cucom(sources: Sources, brand: str) -> list[tuple[str, Utterance]]:
    """Openings of cucom's dialogues, each with its id; the brand replaced, order numbers marked, products unknown."""
    found = []
    for line in sources.read("cucom_ecommerce/ecommerce_v_0_1.jsonl.xz").splitlines():
        dialogue = json.loads(line)
        first = dialogue["turns"][0]
        if first["role"].lower() == "user":
            found.append((dialogue["id"], real(first["content"], "", brand)))
    return found


def real(text: str, intent: str, brand: str) -> Utterance:
    """A real customer's message: the brand is ours, the order number is marked, nothing else is known about it."""
    clean = " ".join(BRANDS.sub(brand, text).split())
    pieces, at = [], 0
    for match in ORDER.finditer(clean):
        if _names_order(clean, match.start(), match[0]):
            pieces += [Piece(clean[at : match.start()]), Piece(match[0], "order_id")]
            at = match.end()
            break
    return Utterance([*pieces, Piece(clean[at:])], intent, unknown=frozenset({"product", "date", "amount"}))


def _names_order(text: str, start: int, value: str) -> bool:
    """True if the number is an order's, not a tracking or transaction number, amount or date."""
    before = text[max(0, start - 40) : start].lower()
    if re.search(r"(track\w*|transaction|trans|txn|account|card|phone|pin)\W*(id|number|no|ref)?\W*$", before):
        return False
    return bool(re.search(r"order|id|number|no\b|#|ref|parcel|refund for|purchase", before)) or len(value) > 11


def clinc(sources: Sources, part: str) -> dict[str, list[str]]:
    """CLINC150 by intent; part is train, val or test; out of scope under "oos"."""
    data = json.loads(sources.read("clinc150/data_full.json.xz"))
    found: dict[str, list[str]] = defaultdict(list)
    for text, intent in data[part] + data[f"oos_{part}"]:
        found[intent].append(text)
    return dict(found)


def held_intents(sources: Sources) -> frozenset[str]:
    """CLINC150's intents of the domains that no training sees: packs made of them are the examination's."""
    domains = json.loads((sources.folder / "clinc150" / "domains.json").read_text(encoding="utf-8"))
    return frozenset(intent for name in HELD_DOMAINS for intent in domains[name])


def banking(sources: Sources, part: str) -> dict[str, list[str]]:
    """banking77 by intent; part is train or test."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in sources.rows(f"polyai_nlu/banking77_{part}.csv.xz"):
        found[row["category"]].append(" ".join(row["text"].split()))
    return dict(found)


def natcs(sources: Sources) -> dict[str, list[str]]:
    """NatCS: spoken requests to banks, brokers and insurers, those with one intent."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in ("banking", "finance", "insurance"):
        for line in sources.read(f"natcs_utterances/intended_utterances_{name}.jsonl.xz").splitlines():
            row = json.loads(line)
            if len(row["intent"]) == 1 and len(row["utterance"]) < 220:
                found[f"{name}_{row['intent'][0]}"].append(row["utterance"])
    return {key: texts for key, texts in found.items() if len(texts) > 4}


def hint3(sources: Sources) -> dict[str, list[str]]:
    """HINT3's training parts: questions to three companies' bots."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in ("curekart", "powerplay11", "sofmattress"):
        for row in sources.rows(f"hint3/{name}_train.csv.xz"):
            found[f"{name}_{row['label'].lower()}"].append(" ".join(row["sentence"].split()))
    return {key: texts for key, texts in found.items() if len(texts) > 3}


def elsewhere(sources: Sources) -> list[str]:
    """What people ask of hotels, taxis, doctors and trains: openings of STAR (without its bank) and MultiWOZ."""
    found = []
    for line in sources.read("star/dialogues.jsonl.xz").splitlines():
        dialogue = json.loads(line)
        if not any(task["Task"].startswith("bank") for task in dialogue["Scenario"]["WizardCapabilities"]):
            said = [
                str(event["Text"])
                for event in dialogue["Events"]
                if event["Agent"] == "User" and event["Action"] == "utter"
            ]
            found += [text for text in said[:2] if 5 <= len(text.split()) <= 30][:1]
    for dialogue in json.loads(sources.read("multiwoz21_valtest/val.json.xz")).values():
        found.append(dialogue["log"][0]["text"])
    return [" ".join(text.split()) for text in found]


def chatter(sources: Sources) -> list[str]:
    """Questions about the world from Topical-Chat's validation part."""
    found = []
    for part in ("freq", "rare"):
        for talk in json.loads(sources.read(f"topical_chat/valid_{part}.json.xz")).values():
            for turn in talk["content"]:
                found += [" ".join(text.split()) for text in re.split(r"(?<=[.!?])\s+", turn["message"])]
    return [text for text in found if 3 <= len(text.split()) <= 20]
