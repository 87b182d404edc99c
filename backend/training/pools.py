"""Large pools of unlabelled words: what people say to services, and what others noted that they want."""

import json
import re
from collections.abc import Iterable, Iterator

from backend.training.corpora import (
    Sources,
    banking,
    bitext,
    clinc,
    elsewhere,
    hint3,
    labelled,
    natcs,
    real,
)

INDUSTRIES = ("airline", "fastfood", "finance", "insurance", "media", "software")
CHATTY = frozenset(
    {"contentonly", "confirmation", "rejection", "openinggreeting", "closinggreeting", "thankyou", "outofdomain"}
)
WORDS_LEAST, WORDS_MOST = 4, 26
_AGENT = re.compile(r"^(the )?agent\b", re.IGNORECASE)


def multidogo(sources: Sources) -> dict[str, list[str]]:
    """Real service chats by industry and intent, training part, sentences."""
    found: dict[str, list[str]] = {}
    for industry in INDUSTRIES:
        for line in sources.read(f"multidogo_nlu/sentence/{industry}_train.tsv.xz").splitlines()[1:]:
            cells = line.split("\t")
            if len(cells) == 7 and len(cells[4].split()) > 1:
                found.setdefault(f"{industry}_{cells[6]}", []).append(cells[4])
    return {key: texts for key, texts in found.items() if "<div>" not in key and len(texts) > 12}


def summaries(sources: Sources) -> list[str]:
    """What a customer wanted, in one sentence each: ABCD's and TweetSumm's summaries."""
    found: list[str] = []
    for name in ("issues_gpt4", "issues_gpt35"):
        for line in sources.read(f"abcd/{name}.jsonl.xz").splitlines():
            found += json.loads(line)["text"].splitlines()
    for line in sources.read("tweetsumm_summaries/train.jsonl.xz").splitlines():
        for note in json.loads(line)["annotations"]:
            found += (note.get("abstractive") or [])[:1]
    return [text for text in found if not _AGENT.match(text)]


def voices(sources: Sources, brand: str, held: frozenset[str]) -> list[str]:
    """Messages of people to services of every kind, each once; the held-out domains' are not among them."""
    clean = (" ".join(text.split()) for text in _all_voices(sources, brand, held))
    fitting = {text: None for text in clean if WORDS_LEAST <= len(text.split()) <= WORDS_MOST and len(text) < 160}
    return list(fitting)


def _all_voices(sources: Sources, brand: str, held: frozenset[str]) -> Iterator[str]:
    yield from (said.text for said in bitext(sources, "train"))
    for key, texts in clinc(sources, "train").items():
        yield from texts if key not in held else ()
    for found in (banking(sources, "train"), natcs(sources), hint3(sources), multidogo(sources)):
        yield from (text for texts in found.values() for text in texts)
    yield from elsewhere(sources)
    yield from _spoken_tickets(sources)
    for name in ("nlupp_hotels", "nlupp_banking"):
        yield from (row["text"] for row in _rows(sources, f"polyai_nlu/{name}.jsonl.xz"))
    yield from (row["userInput"]["text"] for row in _rows(sources, "polyai_nlu/restaurant8k_train_0.jsonl.xz"))
    for line in sources.read("taskmaster/tm4_data.jsonl.xz").splitlines():
        yield from (each["text"] for each in json.loads(line)["utterances"] if each["speaker"] == "user")


def _spoken_tickets(sources: Sources) -> Iterator[str]:
    """MultiWOZ's validation part: every turn of the traveller."""
    for dialogue in json.loads(sources.read("multiwoz21_valtest/val.json.xz")).values():
        yield from (turn["text"] for turn in dialogue["log"][::2])


def shop_voices(sources: Sources, brand: str) -> list[str]:
    """cucom's customers, sentence by sentence, without the dialogues that are examined."""
    tested = {str(row["id"]) for row in labelled("cucom_test")}
    found: list[str] = []
    for line in sources.read("cucom_ecommerce/ecommerce_v_0_1.jsonl.xz").splitlines():
        dialogue = json.loads(line)
        if dialogue["id"] not in tested:
            for turn in dialogue["turns"]:
                if turn["role"].lower() == "user":
                    found += re.split(r"(?<=[.!?])\s+", real(turn["content"], "", brand).text)
    return [text for text in dict.fromkeys(found) if WORDS_LEAST <= len(text.split()) <= WORDS_MOST]


def _rows(sources: Sources, name: str) -> Iterable[dict[str, dict[str, str]]]:
    return (json.loads(line) for line in sources.read(name).splitlines())
