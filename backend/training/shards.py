"""Rows made on every core, kept as arrays, and served to the GPU in batches."""

import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from backend.training.catalogues import shop
from backend.training.corpora import Sources
from backend.training.dialogues import Scene
from backend.training.rows import WEIGHT_SCALE, Row, RowMaker, catalogue
from backend.training.speaker import Speaker
from backend.training.tokenizer import load, trained
from prompts import system_prompt

VOCABULARY = 6144
TOKENIZER_ROWS = 1500
FIELDS = ("tokens", "weights", "docs", "positions")
_maker: RowMaker | None = None


@dataclass(frozen=True)
class Shards:
    """All rows of a training, in memory."""

    tokenizer: Tokenizer
    rows: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.rows["tokens"])

    def order(self, seed: int, epochs: float) -> np.ndarray:
        """Row numbers for all epochs, shuffled anew for each."""
        rng = np.random.default_rng(seed)
        return np.concatenate([rng.permutation(len(self)) for _ in range(math.ceil(epochs))])

    def batch(self, chosen: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Tokens, positions, weights and conversations of the chosen rows, on the GPU."""
        tokens, weights, docs, positions = (
            torch.from_numpy(self.rows[name][chosen]).cuda(non_blocking=True) for name in FIELDS
        )
        return tokens.long(), positions.int(), weights.float() / WEIGHT_SCALE, docs.int()


def prepare(data: Path, folder: Path, *, rows: int, seed: int) -> Shards:
    """Tokenizer and rows from the public sets and the seed. Raises `FileNotFoundError` that names a missing set."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    speaker = Speaker(Sources(data), shop().pack.brand)
    if not (folder / "tokenizer.json").exists():
        trained(_texts(speaker, seed), VOCABULARY).save(str(folder / "tokenizer.json"))
    print(f"tokenizer ready after {time.monotonic() - started:.0f} s", flush=True)
    seeds = range(seed * 1_000_000, seed * 1_000_000 + rows)
    with ProcessPoolExecutor(
        os.cpu_count(), mp_context=get_context("fork"), initializer=_start, initargs=(data, folder)
    ) as pool:
        made = list(pool.map(_make, seeds, chunksize=64))
    print(f"{rows} rows ready after {time.monotonic() - started:.0f} s", flush=True)
    return Shards(load(folder), {name: np.stack([getattr(row, name) for row in made]) for name in FIELDS})


def _start(data: Path, folder: Path) -> None:
    """One row maker a process."""
    global _maker
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _maker = RowMaker(load(folder), Speaker(Sources(data), shop().pack.brand))


def _make(seed: int) -> Row:
    assert _maker is not None
    return _maker.row(seed)


def _texts(speaker: Speaker, seed: int) -> list[str]:
    """What the vocabulary is learned from: prompts, messages, replies."""
    texts = []
    for number in range(TOKENIZER_ROWS):
        rng = Random(seed + number)
        scene = Scene(catalogue(rng, speaker), speaker, rng)
        texts.append(system_prompt(scene.catalogue.pack))
        texts += [text for _ in range(12) for turn in scene.dialogue() for text in (turn.text, turn.reply)]
    return texts
