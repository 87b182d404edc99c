"""What a figure has to beat: one answer to everything, and copying the answer of the most similar training text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np

_GRAM = 3


@dataclass(frozen=True)
class Example:
    """A training text and the answer to it; `cue` is what tells texts alike, see `examples.cue_of`."""

    cue: str
    answer: str
    slots: Mapping[str, str | None] = field(default_factory=dict)
    demand: str | None = None


class Nearest:
    """The most similar of some texts: cosine over their words and letter trigrams, rare ones counting more.

    Digits are all one, so that an order number makes nobody a neighbour. Of equals the first wins.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        if not texts:
            raise ValueError("There is no text to be near to.")
        counted = [Counter(grams(text)) for text in texts]
        spread = Counter(gram for counts in counted for gram in counts)
        self._rarity = {gram: 1 + log(len(texts) / among) for gram, among in spread.items()}
        weights = [self._weighted(counts) for counts in counted]
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, weight in enumerate(weights):
            for gram, value in weight.items():
                postings[gram].append((at, value))
        self._postings = {
            gram: (np.array([at for at, _ in found]), np.array([value for _, value in found], np.float32))
            for gram, found in postings.items()
        }
        self._count = len(texts)

    def __call__(self, text: str, without: int | None = None) -> int:
        """The place of the text that is nearest to `text`, the one at `without` left out."""
        score = np.zeros(self._count, np.float32)
        for gram, value in self._weighted(Counter(grams(text))).items():
            if gram in self._postings:
                places, values = self._postings[gram]
                score[places] += value * values
        if without is not None:
            score[without] = -1
        return int(score.argmax())

    def _weighted(self, counts: Counter[str]) -> dict[str, float]:
        """A unit vector; grams that no text has are left out."""
        found = {gram: count * self._rarity[gram] for gram, count in counts.items() if gram in self._rarity}
        length = sum(value * value for value in found.values()) ** 0.5
        return {gram: value / length for gram, value in found.items()}


def grams(text: str) -> list[str]:
    """Words, and the letters of words three by three."""
    words = re.findall(r"\w+", re.sub(r"\d", "0", text.casefold()))
    padded = (f"<{word}>" for word in words)
    return [*words, *(word[at : at + _GRAM] for word in padded for at in range(len(word) - _GRAM + 1))]


def constant(answers: Iterable[str]) -> str:
    """The one answer that is right most often in training."""
    return Counter(answers).most_common(1)[0][0]


def copied(examples: Sequence[Example], cues: Sequence[str]) -> list[Example]:
    """For each cue the most similar of the training texts."""
    nearest = Nearest([example.cue for example in examples])
    return [examples[nearest(cue)] for cue in cues]
