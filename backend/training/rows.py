"""Training rows: one catalogue and as many conversations over it as fit.

The system prompt stands once at a row's beginning; every conversation sees it and itself, and is at the positions
that it would have if it stood alone behind the prompt. That is a seventh of the tokens of one prompt each.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

import numpy as np
from tokenizers import Tokenizer

from backend.training import inventions, trades
from backend.training.bank import BankScene, StarScene
from backend.training.catalogues import Catalogue, bank, foreign, renamed_shop, shop
from backend.training.dialogues import Scene, Turn
from backend.training.mined import Mined
from backend.training.pools import INDUSTRIES
from backend.training.speaker import Speaker
from backend.training.tables import table
from backend.training.tokenizer import ASSISTANT, END, SYSTEM, USER
from backend.training.wording import line_from_words
from prompts import system_prompt
from prompts.catalogue import catalogue_line

ROW_TOKENS = 4096
PADDING_DOC = 255
WEIGHT_SCALE = 255
USER_WEIGHT = 0.1
KINDS = {"shop": 32, "renamed": 13, "trade": 18, "foreign": 8, "invented": 3, "mined": 12, "bank": 11, "star": 5}
COMPANIES = ("banking", "finance", "insurance", "curekart", "powerplay11", "sofmattress", *INDUSTRIES)
NOTE_WEIGHT = 0.5
MEANT = 64
Bits = tuple[list[int], list[float], list[tuple[int, int]]]


@dataclass(frozen=True)
class Row:
    """Arrays of ROW_TOKENS: token, weight (0 to WEIGHT_SCALE), conversation (0: the prompt), position.

    At `places` the meaning of what was just read is known: rows of `Mined.vectors` in `meant`, -1 where there is none.
    """

    tokens: np.ndarray
    weights: np.ndarray
    docs: np.ndarray
    positions: np.ndarray
    places: np.ndarray
    meant: np.ndarray


@dataclass(frozen=True)
class RowMaker:
    """Makes row after row; a row depends on its seed alone."""

    tokenizer: Tokenizer
    speaker: Speaker
    kinds: Mapping[str, int] = field(default_factory=lambda: KINDS)

    def row(self, seed: int) -> Row:
        rng = Random(seed)
        scene = scene_for(rng, self.speaker, self.kinds)
        prompt = system_prompt(scene.catalogue.pack)
        system = self._ids(SYSTEM, prompt)
        tokens, weights, docs, positions = (
            list(system),
            [0.0] * len(system),
            [0] * len(system),
            list(range(len(system))),
        )
        meant = self._meant_lines(scene.catalogue, prompt)
        doc = 0
        while len(tokens) < ROW_TOKENS and doc < PADDING_DOC - 1:
            doc += 1
            ids, weight, found = self.conversation(scene.dialogue())
            meant += [(len(tokens) + at, row) for at, row in found]
            tokens, weights, docs = tokens + ids, weights + weight, docs + [doc] * len(ids)
            positions += range(len(system), len(system) + len(ids))
        cut = slice(0, ROW_TOKENS)
        known = [pair for pair in meant if pair[0] < ROW_TOKENS]
        known = rng.sample(known, min(MEANT, len(known)))
        known += [(0, -1)] * (MEANT - len(known))
        return Row(
            np.array(tokens[cut], np.uint16),
            np.array([round(weight * WEIGHT_SCALE) for weight in weights[cut]], np.uint8),
            np.array(docs[cut], np.uint8),
            np.array(positions[cut], np.uint16),
            np.array([place for place, _ in known], np.int16),
            np.array([row for _, row in known], np.int32),
        )

    def _meant_lines(self, catalogue: Catalogue, prompt: str) -> list[tuple[int, int]]:
        """Where a mined line of the catalogue has been read: at the token after its last."""
        ends: dict[int, int] = {}
        for intent, template_id in catalogue.ids.items():
            if intent.startswith("mined/"):
                line = catalogue_line(catalogue.pack.templates[template_id])
                ends[prompt.index(f"\n{line}\n") + 1 + len(line) if f"\n{line}\n" in prompt else -1] = int(intent[6:])
        if not ends:
            return []
        encoded = self.tokenizer.encode(prompt, add_special_tokens=False)
        return [(at + 1, ends[start]) for at, (start, _) in enumerate(encoded.offsets) if start in ends]

    def conversation(self, turns: list[Turn]) -> Bits:
        """Tokens of a conversation after the system prompt, the weight of each, and where a known message was read."""
        ids: list[int] = []
        weights: list[float] = []
        meant: list[tuple[int, int]] = []
        places = self.speaker.mined.places if self.speaker.mined else {}
        for turn in turns:
            user = self._ids(USER, turn.text)
            if turn.source in places:
                meant.append((len(ids) + len(user), places[turn.source]))
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
        return ids, weights, meant

    def _ids(self, role: str, text: str) -> list[int]:
        return [self._id(role), *self.tokenizer.encode(text, add_special_tokens=False).ids]

    def _id(self, special: str) -> int:
        return self.tokenizer.token_to_id(special)


def scene_for(rng: Random, speaker: Speaker, kinds: Mapping[str, int] = KINDS) -> Scene | BankScene | StarScene:
    """A brand and its customers, by chance: `kinds` are the weights of its kinds."""
    kind = rng.choices(list(kinds), list(kinds.values()))[0]
    if kind == "bank":
        return BankScene(bank(), speaker, rng)
    if kind == "star":
        return StarScene.of(rng, speaker)
    return Scene(catalogue(rng, speaker, kind), speaker, rng)


def catalogue(rng: Random, speaker: Speaker, kind: str) -> Catalogue:
    """The shop's own catalogue, the shop's renamed, or another brand's: of written, public or mined matters."""
    if kind == "shop":
        return shop()
    if kind == "renamed":
        extra, says = _guests(rng, speaker)
        return renamed_shop(rng, extra, speaker.dictionary, says)
    if kind == "invented":
        return foreign(rng, inventions.matters(rng), speaker.dictionary)
    if kind == "trade":
        return foreign(rng, trades.matters(rng), speaker.dictionary, slots=trades.slots)
    if kind == "mined" and speaker.mined:
        intents, says = mined_matters(rng, speaker.mined, rng.randint(5, 24))
        return foreign(rng, intents, speaker.dictionary, says)
    mark = rng.choices(("", "b", "n", "h", "m"), (5, 3, 3, 2, 2))[0]
    return foreign(rng, _strangers(rng, speaker, mark, rng.randint(5, 30)), speaker.dictionary)


def _guests(rng: Random, speaker: Speaker) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    """What a shop's own templates are about besides: nothing, public intents, invented, written or mined matters."""
    kind = rng.random()
    if kind < 0.25:
        return [], {}
    if kind < 0.5:
        return _strangers(rng, speaker, "", rng.choice((2, 6))), {}
    if kind < 0.6:
        return inventions.matters(rng)[:6], {}
    if kind < 0.8 or not speaker.mined:
        return trades.matters(rng, 8), {}
    return mined_matters(rng, speaker.mined, rng.randint(1, 8))


def mined_matters(rng: Random, mined: Mined, count: int) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    """Mined lines as intents, and what is said about each; a line that nothing fits clearly is left out."""
    says = {f"mined/{line}": messages for line, messages in mined.company(rng, count).items() if messages}
    return [(key, mined.lines[int(key.removeprefix("mined/"))]) for key in says], says


def _strangers(rng: Random, speaker: Speaker, mark: str, count: int) -> list[tuple[str, str]]:
    """Some intents of one public set, each with a line for the catalogue."""
    pool = [
        key for key in speaker.strangers if (key[1:2] == "_") == bool(mark) and key.startswith(mark) and key != "oos"
    ]
    return [(key, _line(rng, speaker, key)) for key in rng.sample(pool, min(count, len(pool)))]


def _line(rng: Random, speaker: Speaker, key: str) -> str:
    """A \"when\" line: our own, the intent's name, its words, or somebody's example. Many: none is learned by heart."""
    intents, kind = table("intents"), rng.random()
    own = {"b": intents["banking"], "m": intents["chats"]}.get(
        key[:1] if key[1:2] == "_" else "", intents["clinc"]
    ).get(key[2:] if key[1:2] == "_" else key)
    if own and kind < 0.25:
        return str(own)
    if kind < 0.5:
        return line_from_words(rng.choice(speaker.strangers[key]), rng)
    name = re.sub(rf"^(([bnhm]_)?({'|'.join(COMPANIES)})_|b_)", "", key).removesuffix("intent")
    name = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower().split())
    words = rng.sample(speaker.keywords(key), min(rng.randint(2, 4), len(speaker.keywords(key))))
    shapes = ("asks about {}", "wants {}", "{}", "has a question about {}", "it is about {}", "needs help with {}")
    if kind < 0.66:
        return rng.choice(shapes).format(name)
    if kind < 0.82:
        return rng.choice(shapes).format(rng.choice((", ", " or ", " and ")).join(words))
    example = " ".join(rng.choice(speaker.strangers[key]).split()[:16]).rstrip(".?!")
    return rng.choice(("says: {}", "such as: {}", "for example, {}", "{}")).format(example)


def _spans(reply: str, slot: str) -> list[tuple[int, int]]:
    """Where an unknown slot's null stands."""
    return [match.span() for match in re.finditer(rf'(?<="{slot})":null', reply)]
