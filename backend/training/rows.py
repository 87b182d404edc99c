"""Training rows: one catalogue and as many conversations over it as fit.

The system prompt stands once at a row's beginning; every conversation sees it and itself, and is at the positions
that it would have if it stood alone behind the prompt. That is a seventh of the tokens of one prompt each.
"""

import re
from dataclasses import dataclass
from random import Random

import numpy as np
from tokenizers import Tokenizer

from backend.training.catalogues import Catalogue, foreign, renamed_shop, shop
from backend.training.dialogues import Scene, Turn
from backend.training.inventions import matters
from backend.training.speaker import Speaker
from backend.training.tables import table
from backend.training.tokenizer import ASSISTANT, END, SYSTEM, USER
from prompts import system_prompt

ROW_TOKENS = 4096
PADDING_DOC = 255
WEIGHT_SCALE = 255
USER_WEIGHT = 0.1
KINDS, KIND_WEIGHTS = ("shop", "renamed", "foreign", "invented"), (36, 22, 22, 20)
NOTE_WEIGHT = 0.5
Bits = tuple[list[int], list[float]]


@dataclass(frozen=True)
class Row:
    """Arrays of ROW_TOKENS: token, weight (0 to WEIGHT_SCALE), conversation (0: the prompt), position."""

    tokens: np.ndarray
    weights: np.ndarray
    docs: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True)
class RowMaker:
    """Makes row after row; a row depends on its seed alone."""

    tokenizer: Tokenizer
    speaker: Speaker

    def row(self, seed: int) -> Row:
        rng = Random(seed)
        scene = Scene(catalogue(rng, self.speaker), self.speaker, rng)
        system = self._ids(SYSTEM, system_prompt(scene.catalogue.pack))
        tokens, weights, docs, positions = (
            list(system),
            [0.0] * len(system),
            [0] * len(system),
            list(range(len(system))),
        )
        doc = 0
        while len(tokens) < ROW_TOKENS and doc < PADDING_DOC - 1:
            doc += 1
            ids, weight = self.conversation(scene.dialogue())
            tokens, weights, docs = tokens + ids, weights + weight, docs + [doc] * len(ids)
            positions += range(len(system), len(system) + len(ids))
        cut = slice(0, ROW_TOKENS)
        return Row(
            np.array(tokens[cut], np.uint16),
            np.array([round(weight * WEIGHT_SCALE) for weight in weights[cut]], np.uint8),
            np.array(docs[cut], np.uint8),
            np.array(positions[cut], np.uint16),
        )

    def conversation(self, turns: list[Turn]) -> Bits:
        """Tokens of a conversation after the system prompt, with the weight of each."""
        ids: list[int] = []
        weights: list[float] = []
        for turn in turns:
            user = self._ids(USER, turn.text)
            ids, weights = ids + user, weights + [0.0] + [USER_WEIGHT] * (len(user) - 1)
            reply = self.tokenizer.encode(turn.reply, add_special_tokens=False)
            blind = [span for slot in turn.hidden for span in _spans(turn.reply, slot)]
            notes = turn.reply.index('"demand":"') + len('"demand":"')
            known = [
                0.0
                if any(begin < end and stop > start for start, end in blind)
                else NOTE_WEIGHT
                if begin >= notes
                else 1.0
                for begin, stop in reply.offsets
            ]
            ids += [self._id(ASSISTANT), *reply.ids, self._id(END)]
            weights += [0.0, *known, 1.0]
        return ids, weights

    def _ids(self, role: str, text: str) -> list[int]:
        return [self._id(role), *self.tokenizer.encode(text, add_special_tokens=False).ids]

    def _id(self, special: str) -> int:
        return self.tokenizer.token_to_id(special)


def catalogue(rng: Random, speaker: Speaker) -> Catalogue:
    """The shop's own catalogue, the shop's renamed, or another brand's, real or invented."""
    kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
    if kind == "shop":
        return shop()
    if kind == "renamed":
        return renamed_shop(
            rng, _strangers(rng, speaker, "", rng.choice((0, 0, 2, 6))) if rng.random() < 0.6 else matters(rng)[:6]
        )
    if kind == "invented":
        return foreign(rng, matters(rng))
    return foreign(rng, _strangers(rng, speaker, rng.choices(("", "b", "n", "h"), (5, 3, 3, 2))[0], rng.randint(4, 30)))


def _strangers(rng: Random, speaker: Speaker, mark: str, count: int) -> list[tuple[str, str]]:
    """Some intents of one public set, each with a line for the catalogue."""
    pool = [
        key for key in speaker.strangers if (key[1:2] == "_") == bool(mark) and key.startswith(mark) and key != "oos"
    ]
    return [(key, _line(rng, speaker, key)) for key in rng.sample(pool, min(count, len(pool)))]


def _line(rng: Random, speaker: Speaker, key: str) -> str:
    """A \"when\" line: our own, the intent's name, its words, or somebody's example. Many: none is learned by heart."""
    intents, kind = table("intents"), rng.random()
    own = intents["banking"].get(key[2:]) if key.startswith("b_") else intents["clinc"].get(key)
    if own and kind < 0.3:
        return str(own)
    name = re.sub(r"^(([bnh]_)?(banking|finance|insurance|curekart|powerplay11|sofmattress)_|b_)", "", key)
    name = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower().split())
    words = rng.sample(speaker.keywords(key), min(rng.randint(2, 4), len(speaker.keywords(key))))
    shapes = ("asks about {}", "wants {}", "{}", "has a question about {}", "it is about {}", "needs help with {}")
    if kind < 0.55:
        return rng.choice(shapes).format(name)
    if kind < 0.78:
        return rng.choice(shapes).format(rng.choice((", ", " or ", " and ")).join(words))
    example = " ".join(rng.choice(speaker.strangers[key]).split()[:16]).rstrip(".?!")
    return rng.choice(("says: {}", "such as: {}", "for example, {}", "{}")).format(example)


def _spans(reply: str, slot: str) -> list[tuple[int, int]]:
    """Where an unknown slot's null stands."""
    return [match.span() for match in re.finditer(rf'(?<="{slot})":null', reply)]
