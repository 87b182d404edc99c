"""Who talks like a customer: phrases of the grammar, real customers' words with fresh values, and noise on both."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from backend.training import inventions, trades
from backend.training.corpora import (
    Sources,
    banking,
    bitext,
    chatter,
    clinc,
    cucom,
    elsewhere,
    held_intents,
    hint3,
    labelled,
    natcs,
    real,
    written_outside,
)
from backend.training.frames import FRAMED, framed, fresh_value, gibberish
from backend.training.grammar import Piece, Utterance, Values, expand
from backend.training.mined import Mined
from backend.training.noise import disturb
from backend.training.pools import CHATTY, multidogo
from backend.training.tables import table, words
from backend.training.targets import PROBLEMS
from backend.training.weak import guess

SMALL_TALK = words("small_talk_intents")
SAME = {"greeting": "greeting", "goodbye": "goodbye", "thank_you": "thanks", "maybe": "clarify", "repeat": "clarify"}
# Intents of CLINC150 that a shop's customer could well mean, or that mean too many things.
AMBIGUOUS = frozenset(words("ambiguous_intents"))
BANK_ONLY = words("bank_only_intents")
ELSEWHERE = ("m_airline", "m_fastfood", "m_insurance", "m_media", "n_insurance")
_EMPTY = frozenset(
    [
        "the",
        "and",
        "you",
        "that",
        "are",
        "for",
        "not",
        "but",
        "was",
        "have",
        "with",
        "they",
        "this",
        "did",
        "your",
        "about",
        "what",
        "like",
        "just",
        "think",
        "know",
        "would",
        "has",
        "from",
        "can",
    ]
)
_WORDS = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True)
class Speaker:
    """The pools of real words, read once, and the grammar. `brand` stands for the brands of the sets."""

    sources: Sources
    brand: str
    mined: Mined | None = None

    @cached_property
    def real_words(self) -> Mapping[str, list[Utterance]]:
        """Real customers' messages by intent; labels by hand count eight times."""
        pool: dict[str, list[Utterance]] = defaultdict(list)
        for said in bitext(self.sources, "train"):
            pool[said.intent].append(said)
        hand = labelled("cucom_train")
        for row in hand:
            pool[str(row["template"])] += [real(str(row["text"]), str(row["template"]), self.brand)] * 8
        taken = {row["id"] for row in hand} | {row["id"] for row in labelled("cucom_test")}
        tested = {_letters(str(row["text"])) for row in labelled("cucom_test")}
        for key, said in cucom(self.sources, self.brand):
            template = guess(said.text)
            if template and key not in taken and _letters(said.text) not in tested:
                pool[template].append(replace(said, intent=template))
        return pool

    @cached_property
    def strangers(self) -> Mapping[str, list[str]]:
        """Messages to other brands by intent (CLINC150, banking77, NatCS, HINT3, MultiDoGO), training parts."""
        held = held_intents(self.sources)
        chats = {key: texts for key, texts in multidogo(self.sources).items() if key.split("_")[1] not in CHATTY}
        sets = {"b": banking(self.sources, "train"), "n": natcs(self.sources), "h": hint3(self.sources), "m": chats}
        return {
            **{key: texts for key, texts in clinc(self.sources, "train").items() if key not in held},
            **{f"{mark}_{key}": texts for mark, found in sets.items() for key, texts in found.items()},
        }

    def keywords(self, intent: str) -> list[str]:
        """The words that tell an intent of other brands from the rest."""
        return self._keywords[intent]

    @cached_property
    def _keywords(self) -> dict[str, list[str]]:
        counted = {
            key: Counter(word for text in texts for word in set(_WORDS.findall(text.lower())))
            for key, texts in self.strangers.items()
        }
        spread = Counter(word for counts in counted.values() for word in counts)
        return {
            key: sorted(counts, key=lambda word: -counts[word] / sum(counts.values()) / spread[word] ** 0.7)[:9]
            for key, counts in counted.items()
        }

    @cached_property
    def outside(self) -> list[str]:
        """What a shop does not do."""
        excluded = {*SMALL_TALK, *SAME, *AMBIGUOUS}
        odd = self.strangers["oos"] + clinc(self.sources, "val")["oos"]
        banks = [text for key in BANK_ONLY for text in self.strangers[f"b_{key}"]]
        return (
            elsewhere(self.sources)
            + odd * 20
            + banks
            + [text for key in self.strangers if key.startswith(ELSEWHERE) for text in self.strangers[key]]
            + [
                text
                for key, texts in self.strangers.items()
                if key not in excluded and key[1:2] != "_"
                for text in texts
            ]
        )

    @cached_property
    def chinese(self) -> list[str]:
        dialogues = json.loads(self.sources.read("crosswoz_zh_valtest/val.json.xz"))
        return [
            turn["content"] for dialogue in dialogues.values() for turn in dialogue["messages"] if turn["role"] == "usr"
        ]

    def say(self, intent: str, rng: Random, known: Mapping[str, str] | None = None) -> Utterance:
        """One message that means `intent`; `known` fixes values, such as the order that it speaks of."""
        special = {
            "other_language": self._foreign,
            "out_of_scope": self._outside,
            "clarify": self._unclear,
            "small_talk": self._chat,
        }
        if intent in special:
            return special[intent](rng)
        if intent in SAME.values() and rng.random() < 0.2:
            key = next(key for key, value in SAME.items() if value == intent)
            return disturb(Utterance([Piece(rng.choice(self.strangers[key]))], intent), rng)
        values = Values(rng, known)
        share = 0.5 if intent in PROBLEMS else 0.35
        if self.real_words.get(intent) and rng.random() < share:
            return self._quoted(intent, values)
        return self._made(intent, values)

    def stranger(self, intent: str, rng: Random) -> Utterance:
        """A message of another brand's customer."""
        if intent.startswith(inventions.PREFIX):
            return inventions.spoken(intent, rng)
        if intent.startswith(trades.PREFIX):
            return trades.spoken(intent, rng)
        quoted = rng.choice(self.strangers[intent])
        return disturb(Utterance([Piece(quoted)], intent, source=quoted), rng)

    def fragment(self, which: str, rng: Random, known: Mapping[str, str] | None = None) -> Utterance:
        """A turn of a macro alone, such as a bare number."""
        return disturb(Utterance(expand(rng.choice(table("macros")[which]), Values(rng, known)), "order_details"), rng)

    def _quoted(self, intent: str, values: Values) -> Utterance:
        """Real words with fresh values."""
        rng = values.rng
        said = rng.choice(self.real_words[intent])
        pieces = [replace(piece, text=fresh_value(piece, values)) if piece.entity else piece for piece in said.pieces]
        fresh = replace(said, pieces=pieces, source=said.text)
        if rng.random() < 0.12:
            fresh = replace(fresh, pieces=framed(fresh.pieces, intent, values))
        return disturb(fresh, rng) if rng.random() < 0.45 else fresh

    def _made(self, intent: str, values: Values) -> Utterance:
        """The grammar's words, with what people say around a demand."""
        rng = values.rng
        pieces = expand(rng.choice(table("shop")[intent]), values)
        if intent not in FRAMED and rng.random() < 0.6:
            pieces = framed(pieces, intent, values)
        return disturb(Utterance(pieces, intent), rng)

    def _foreign(self, rng: Random) -> Utterance:
        if rng.random() < 0.2:
            return Utterance([Piece(rng.choice(self.chinese))], "other_language")
        parts = rng.sample(rng.choice(list(table("languages").values())), k=rng.choices((1, 2, 3), (5, 4, 1))[0])
        values = Values(rng)
        pieces = [piece for part in parts for piece in [*expand(part.replace("(", " "), values), Piece(" ")]]
        return disturb(Utterance([Piece(piece.text) for piece in pieces[:-1]], "other_language"), rng)

    def _outside(self, rng: Random) -> Utterance:
        kind = rng.random()
        if kind < 0.7:
            quoted = rng.choice(self.outside if kind < 0.3 else written_outside())
            return disturb(Utterance([Piece(quoted)], "out_of_scope", source=quoted), rng)
        if kind < 0.85:
            return self._world(rng)
        return self._made("out_of_scope", Values(rng))

    @cached_property
    def dictionary(self) -> list[str]:
        """Words of all kinds, for names that mean nothing here."""
        counted = Counter(word for text in chatter(self.sources) for word in _WORDS.findall(text.lower()))
        return sorted(word for word, count in counted.items() if count > 1 and word not in _EMPTY and len(word) < 12)

    @cached_property
    def topics(self) -> list[str]:
        """Two or three neighbouring words of people who chat about the world."""
        found = []
        for text in chatter(self.sources):
            words = _WORDS.findall(text.lower())
            found += [
                " ".join(words[at : at + 2 + at % 2])
                for at in range(0, len(words) - 3, 3)
                if words[at] not in _EMPTY and words[at + 1 + at % 2] not in _EMPTY
            ]
        return found

    def _world(self, rng: Random) -> Utterance:
        """A question or a wish that has nothing to do with a shop."""
        phrase = rng.choice(table("macros")["world"])
        pieces = expand(
            phrase.replace("{topic}", rng.choice(self.topics)).replace("{topic2}", rng.choice(self.topics)), Values(rng)
        )
        return disturb(Utterance([Piece(piece.text) for piece in pieces], "out_of_scope"), rng)

    def _chat(self, rng: Random) -> Utterance:
        if rng.random() < 0.4:
            return disturb(Utterance([Piece(rng.choice(self.strangers[rng.choice(SMALL_TALK)]))], "small_talk"), rng)
        return self._made("small_talk", Values(rng))

    def _unclear(self, rng: Random) -> Utterance:
        """Too little to act on, or nonsense."""
        kind = rng.random()
        if kind < 0.62:
            return self._made("clarify", Values(rng))
        if kind < 0.7:
            return disturb(
                Utterance([Piece(rng.choice(self.strangers[rng.choice(("maybe", "repeat", "yes", "no"))]))], "clarify"),
                rng,
            )
        return Utterance([Piece(gibberish(rng))], "clarify")


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())


def merged(items: Iterable[Utterance]) -> list[Piece]:
    """Several messages as one, separated by blanks."""
    pieces: list[Piece] = []
    for said in items:
        pieces += ([Piece(" ")] if pieces else []) + said.pieces
    return pieces
