"""What words mean: a sentence encoder's vector for each frequent English word, and for each piece of the vocabulary."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

DIMENSIONS = 384
KNOWN, LISTED = 13_000, 7_000


@dataclass(frozen=True)
class Meanings:
    """Words, frequent ones first, and their vectors: unit length about their common mean."""

    words: list[str]
    vectors: np.ndarray

    @property
    def listed(self) -> list[str]:
        """The words that a vocabulary should hold whole."""
        return [word for word in self.words if len(word) > 2][:LISTED]

    def of_pieces(self, tokenizer: Tokenizer) -> np.ndarray:
        """One row a piece; zeros for what is no word. "Ġorder", "_order" and "Order" all mean order."""
        rows = dict(zip(self.words, self.vectors, strict=True))
        out = np.zeros((tokenizer.get_vocab_size(), DIMENSIONS), np.float32)
        for piece, at in tokenizer.get_vocab().items():
            word = piece.removeprefix("Ġ").removeprefix("_").lower()
            if len(word) > 1 and word in rows:
                out[at] = rows[word]
        return out

    def save(self, path: Path) -> None:
        np.savez_compressed(path, words=np.array(self.words), vectors=self.vectors.astype(np.float16))

    @staticmethod
    def load(path: Path) -> "Meanings":
        kept = np.load(path)
        return Meanings([str(word) for word in kept["words"]], kept["vectors"].astype(np.float32))


def learned_meanings() -> Meanings:
    """From the encoder, see `teacher`."""
    from backend.training.teacher import Teacher

    teacher = Teacher()
    words = teacher.words()[:KNOWN]
    vectors = teacher.vectors(words)
    vectors -= vectors.mean(0)
    return Meanings(words, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
