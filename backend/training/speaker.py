"""Who talks like a customer: phrases of the grammar, real customers' words with fresh values, and noise on both."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from backend.training.corpora import Sources, banking, bitext, clinc, cucom, elsewhere, hint3, labelled, natcs, real
from backend.training.grammar import Piece, Utterance, Values, expand, table
from backend.training.inventions import PREFIX, spoken
from backend.training.noise import disturb
from backend.training.targets import PROBLEMS
from backend.training.values import MAKERS, digits, name, word
from backend.training.weak import guess

SMALL_TALK = (
    "are_you_a_bot", "do_you_have_pets", "fun_fact", "how_old_are_you", "meaning_of_life", "tell_joke", "what_are_your_hobbies", "what_can_i_ask_you",
    "what_is_your_name", "where_are_you_from", "who_do_you_work_for", "who_made_you",
)  # fmt: skip
SAME = {"greeting": "greeting", "goodbye": "goodbye", "thank_you": "thanks", "maybe": "clarify", "repeat": "clarify"}
# Intents of CLINC150 that a shop's customer could well mean, or that mean too many things.
AMBIGUOUS = frozenset({
    "order", "order_status", "cancel", "yes", "no", "pin_change", "account_blocked", "redeem_rewards", "rewards_balance", "change_user_name", "user_name",
    "reset_settings", "report_fraud", "bill_balance", "bill_due", "pay_bill", "transactions", "card_declined", "replacement_card_duration", "new_card",
    "change_ai_name", "change_language", "application_status", "spending_history", "damaged_card", "expiration_date", "apr", "cancel_reservation",
    "report_lost_card", "direct_deposit", "change_volume", "change_speed", "change_accent", "whisper_mode", "sync_device",
})  # fmt: skip
_WORDS = re.compile(r"[a-z]{3,}")
FRAMED = frozenset({"greeting", "thanks", "goodbye", "small_talk", "clarify", "handoff_anger", "handoff_legal", "handoff_threat"})


@dataclass(frozen=True)
class Speaker:
    """The pools of real words, read once, and the grammar. `brand` stands for the brands of the sets."""

    sources: Sources
    brand: str

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
        """Messages to other brands by intent (CLINC150, banking77, NatCS, HINT3), training parts."""
        sets = {"b": banking(self.sources, "train"), "n": natcs(self.sources), "h": hint3(self.sources)}
        return {**clinc(self.sources, "train"), **{f"{mark}_{key}": texts for mark, found in sets.items() for key, texts in found.items()}}

    def keywords(self, intent: str) -> list[str]:
        """The words that tell an intent of other brands from the rest."""
        return self._keywords[intent]

    @cached_property
    def _keywords(self) -> dict[str, list[str]]:
        counted = {key: Counter(word for text in texts for word in set(_WORDS.findall(text.lower()))) for key, texts in self.strangers.items()}
        spread = Counter(word for counts in counted.values() for word in counts)
        return {
            key: sorted(counts, key=lambda word: -counts[word] / sum(counts.values()) / spread[word] ** 0.7)[:9] for key, counts in counted.items()
        }  # fmt: skip

    @cached_property
    def outside(self) -> list[str]:
        """What a shop does not do."""
        excluded = {*SMALL_TALK, *SAME, *AMBIGUOUS}
        odd = self.strangers["oos"] + clinc(self.sources, "val")["oos"]
        return elsewhere(self.sources) + odd * 12 + [text for key, texts in self.strangers.items() if key not in excluded and key[1:2] != "_" for text in texts]

    @cached_property
    def chinese(self) -> list[str]:
        dialogues = json.loads(self.sources.read("crosswoz_zh_valtest/val.json.xz"))
        return [turn["content"] for dialogue in dialogues.values() for turn in dialogue["messages"] if turn["role"] == "usr"]

    def say(self, intent: str, rng: Random, known: Mapping[str, str] | None = None) -> Utterance:
        """One message that means `intent`; `known` fixes values, such as the order that it speaks of."""
        special = {"other_language": self._foreign, "out_of_scope": self._outside, "clarify": self._unclear, "small_talk": self._chat}
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
        if intent.startswith(PREFIX):
            return spoken(intent, rng)
        return disturb(Utterance([Piece(rng.choice(self.strangers[intent]))], intent), rng)

    def fragment(self, which: str, rng: Random, known: Mapping[str, str] | None = None) -> Utterance:
        """A turn of a macro alone, such as a bare number."""
        return disturb(Utterance(expand(rng.choice(table("macros")[which]), Values(rng, known)), "order_details"), rng)

    def _quoted(self, intent: str, values: Values) -> Utterance:
        """Real words with fresh values."""
        rng = values.rng
        said = rng.choice(self.real_words[intent])
        pieces = [replace(piece, text=_fresh(piece, values)) if piece.entity else piece for piece in said.pieces]
        fresh = replace(said, pieces=pieces)
        if rng.random() < 0.12:
            fresh = replace(fresh, pieces=_framed(fresh.pieces, intent, values))
        return disturb(fresh, rng) if rng.random() < 0.45 else fresh

    def _made(self, intent: str, values: Values) -> Utterance:
        """The grammar's words, with what people say around a demand."""
        rng = values.rng
        pieces = expand(rng.choice(table("shop")[intent]), values)
        if intent not in FRAMED and rng.random() < 0.6:
            pieces = _framed(pieces, intent, values)
        return disturb(Utterance(pieces, intent), rng)

    def _foreign(self, rng: Random) -> Utterance:
        if rng.random() < 0.2:
            return Utterance([Piece(rng.choice(self.chinese))], "other_language")
        parts = rng.sample(rng.choice(list(table("languages").values())), k=rng.choices((1, 2, 3), (5, 4, 1))[0])
        values = Values(rng)
        pieces = [piece for part in parts for piece in [*expand(part.replace("(", " "), values), Piece(" ")]]
        return disturb(Utterance([Piece(piece.text) for piece in pieces[:-1]], "other_language"), rng)

    def _outside(self, rng: Random) -> Utterance:
        if rng.random() < 0.7:
            return disturb(Utterance([Piece(rng.choice(self.outside))], "out_of_scope"), rng)
        return self._made("out_of_scope", Values(rng))

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
            return disturb(Utterance([Piece(rng.choice(self.strangers[rng.choice(("maybe", "repeat", "yes", "no"))]))], "clarify"), rng)
        return Utterance([Piece(_gibberish(rng))], "clarify")


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())


def _fresh(piece: Piece, values: Values) -> str:
    """A new value of a real message's entity; a short order number stays short."""
    if piece.entity == "invoice_id":
        return f"#{digits(values.rng, 3, 7)}"
    if piece.entity == "person":
        return f"{values.rng.choice(('', '', 'Mr. ', 'Ms. '))}{name(values.rng)}"
    if piece.entity == "account_type":
        return values.get("account")
    return values.get(piece.entity) if piece.entity in MAKERS else piece.text


def _framed(pieces: list[Piece], intent: str, values: Values) -> list[Piece]:
    """An opening, the order's number, a story, a mood, a remedy, a close: each now and then, in that order."""
    rng, macros = values.rng, table("macros")
    problem = intent in PROBLEMS

    def maybe(which: str, chance: float, end: str) -> list[Piece]:
        return [*expand(rng.choice(macros[which]), values), Piece(end)] if rng.random() < chance else []

    has_order = any(piece.entity == "order_id" for piece in pieces)
    before = maybe("opener", 0.3, rng.choice((", ", " ", ". "))) + (maybe("orderlead", 0.3 if problem else 0.06, " ") if not has_order else [])
    before += maybe("story", 0.1, rng.choice((". ", ", ", " and ")))
    after = maybe("story", 0.12, "") and [Piece(rng.choice((". ", ", ", ". ")))] + expand(rng.choice(macros["story"]), values)
    for which, chance in (("anger", 0.25 if problem else 0.05), ("remedy", 0.15 if problem else 0.0), ("closer", 0.25)):
        added = maybe(which, chance, "")
        after += [Piece(rng.choice((". ", ", ", "! ", " "))), *added] if added else []
    return [*before, *pieces, *after]


def _gibberish(rng: Random) -> str:
    """Keys hit at random, lone marks, made-up words."""
    kind = rng.random()
    if kind < 0.4:
        return " ".join("".join(rng.choice("asdfghjklqwertzuiopyxcvbnm") for _ in range(rng.randint(2, 9))) for _ in range(rng.choice((1, 1, 1, 2, 3))))
    if kind < 0.6:
        return rng.choice((".", "?", "??", "...", ",", "-", "!", "!!!", "😀", "👍", ":)", "xD", "🙃🙃", "test", "k", "x", "a", "h", "hm", "mm", "ugh", "idk", "0", "*", "ß"))
    return " ".join(word(rng) for _ in range(rng.choice((1, 1, 2, 3, 5))))


def merged(items: Iterable[Utterance]) -> list[Piece]:
    """Several messages as one, separated by blanks."""
    pieces: list[Piece] = []
    for said in items:
        pieces += ([Piece(" ")] if pieces else []) + said.pieces
    return pieces
