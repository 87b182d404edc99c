"""Catalogues of thousands of different lines, and the messages that a sentence encoder finds fitting for each.

Ours to train on: no line comes twice in the same company, so that a message has to be compared with what is written.
"""

import json
import lzma
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np

from backend.training.corpora import Sources
from backend.training.pools import shop_voices, summaries, voices
from backend.training.wording import line_from_note, line_from_words
from backend.training.written import written

VOICES, SHOP_VOICES, LINES_OF_WORDS, LINES_OF_NOTES = 48_000, 14_000, 16_000, 12_000
NEIGHBOURS, SIMILAR_AT_LEAST, SAME_FROM = 24, 0.46, 0.93
KEPT_DIMENSIONS, SCALE = 64, 300.0
APART, MARGIN = 0.66, 0.07
CANDIDATES = 300


@dataclass
class Mined:
    """Lines, messages, their shortened vectors (int8), and each line's fitting messages (-1: none).

    Behind the messages that may fit a line stand those of the written conversations: only what they mean is known.
    """

    lines: list[str]
    voices: list[str]
    line_vectors: np.ndarray
    voice_vectors: np.ndarray
    neighbours: np.ndarray

    @staticmethod
    def load(folder: Path) -> "Mined":
        with lzma.open(folder / "mined.json.xz", "rt", encoding="utf-8") as file:
            texts = json.load(file)
        arrays = np.load(folder / "mined.npz")
        return Mined(texts["lines"], texts["voices"], arrays["lines"], arrays["voices"], arrays["neighbours"])

    @cached_property
    def places(self) -> dict[str, int]:
        """A message's row in `vectors`."""
        return {text: len(self.lines) + at for at, text in enumerate(self.voices)}

    @property
    def vectors(self) -> np.ndarray:
        """The lines' meanings, then the messages', as unit vectors."""
        rows = np.concatenate((self.line_vectors, self.voice_vectors)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def company(self, rng: Random, count: int) -> dict[int, list[str]]:
        """Up to `count` lines that tell different things, some near each other, each with the messages that fit it
        clearly better than every other line here.
        """
        pool = np.array(rng.sample(range(len(self.lines)), CANDIDATES))
        near = pool[np.argsort(-self._alike(pool, pool[0]))]
        mixed = [*near[: count * 2], *pool[: count * 2]] if rng.random() < 0.6 else list(pool)
        rng.shuffle(mixed)
        chosen = [int(pool[0])]
        for at in mixed:
            if len(chosen) == count:
                break
            if at not in chosen and self._alike(np.array(chosen), at).max() < APART:
                chosen.append(int(at))
        return {line: self._fitting(chosen, place) for place, line in enumerate(chosen)}

    def _fitting(self, company: list[int], place: int) -> list[str]:
        known = [at for at in self.neighbours[company[place]] if at >= 0]
        fit = self.voice_vectors[known].astype(np.float32) @ self.line_vectors[company].astype(np.float32).T / SCALE**2
        own = fit[:, place].copy()
        fit[:, place] = -1.0
        return [self.voices[at] for at, is_clear in zip(known, own > fit.max(1) + MARGIN, strict=True) if is_clear]

    def _alike(self, lines: np.ndarray, line: int) -> np.ndarray:
        return self.line_vectors[lines].astype(np.float32) @ self.line_vectors[line].astype(np.float32) / SCALE**2


def mine(sources: Sources, folder: Path, *, brand: str, held: frozenset[str], seed: int) -> None:
    """Writes `mined.json.xz` and `mined.npz` into `folder`. Needs the encoder, see `teacher`."""
    from backend.training.teacher import Teacher

    rng, teacher = Random(seed), Teacher()
    said = _some(rng, voices(sources, brand, held), VOICES) + _some(rng, shop_voices(sources, brand), SHOP_VOICES)
    lines = [line_from_words(text, rng) for text in _some(rng, said[:VOICES], LINES_OF_WORDS)]
    lines += map(line_from_note, _some(rng, summaries(sources), LINES_OF_NOTES))
    lines = [line for line in dict.fromkeys(lines) if 2 <= len(line.split()) <= 22]
    told = list(dict.fromkeys(line.text for talk in written() for line in talk))
    line_vectors, voice_vectors, told_vectors = (teacher.vectors(texts) for texts in (lines, said, told))
    neighbours = _neighbours(line_vectors, voice_vectors)
    kept = [at for at, row in enumerate(neighbours) if (row >= 0).sum() > 3]
    axes = np.linalg.svd(voice_vectors[:8000], full_matrices=False)[2][:KEPT_DIMENSIONS].T
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "mined.npz",
        lines=_short(line_vectors[kept], axes),
        voices=_short(np.concatenate((voice_vectors, told_vectors)), axes),
        neighbours=neighbours[kept],
    )
    with lzma.open(folder / "mined.json.xz", "wt", encoding="utf-8") as file:
        json.dump({"lines": [lines[at] for at in kept], "voices": said + told}, file, ensure_ascii=False)


def _some(rng: Random, texts: list[str], count: int) -> list[str]:
    return rng.sample(texts, min(count, len(texts)))


def _neighbours(lines: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Each line's nearest messages that are not the line itself."""
    found = np.full((len(lines), NEIGHBOURS), -1, np.int32)
    for start in range(0, len(lines), 512):
        alike = lines[start : start + 512] @ said.T
        alike[alike > SAME_FROM] = -1.0
        best = np.argpartition(-alike, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        good = np.take_along_axis(alike, best, axis=1) >= SIMILAR_AT_LEAST
        found[start : start + 512] = np.where(good, best, -1)
    return found


def _short(vectors: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Projected, normalised again, as int8: SCALE is one."""
    short = vectors @ axes
    short /= np.linalg.norm(short, axis=1, keepdims=True)
    return np.clip(np.round(short * SCALE), -127, 127).astype(np.int8)
