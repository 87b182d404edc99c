"""Rows made on every core, kept as arrays, and served to the GPU in batches."""

import os
import threading
import time
from collections.abc import Iterable
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
from backend.training.corpora import Sources, held_intents
from backend.training.meanings import Meanings, learned_meanings
from backend.training.mined import Mined, mine
from backend.training.rows import MEANT, ROW_TOKENS, WEIGHT_SCALE, Row, RowMaker, scene_for
from backend.training.speaker import Speaker
from backend.training.tokenizer import load, trained
from prompts import system_prompt

VOCABULARY = 12288
TOKENIZER_ROWS = 800
FIELDS = {
    "tokens": (np.uint16, ROW_TOKENS),
    "weights": (np.uint8, ROW_TOKENS),
    "docs": (np.uint8, ROW_TOKENS),
    "positions": (np.uint16, ROW_TOKENS),
    "places": (np.int16, MEANT),
    "meant": (np.int32, MEANT),
}
CHUNK = 32
ROWS_MOST = 10_000_000
SPARED_CORES = 2
_maker: RowMaker | None = None


@dataclass(frozen=True)
class Share:
    """Which rows one of `ranks` processes of a host makes: `rows` of its own, those before `first` not again."""

    rank: int
    ranks: int
    rows: int
    first: int = 0

    @property
    def workers(self) -> int:
        return max(1, ((os.cpu_count() or 1) - SPARED_CORES) // self.ranks)

    def chunks(self, seed: int) -> list[range]:
        """The seeds of its rows."""
        start = seed * ROWS_MOST + self.rank * self.rows
        return [range(start + at, start + min(at + CHUNK, self.rows)) for at in range(self.first, self.rows, CHUNK)]


class Shards:
    """All rows of a training, in memory. They are made while earlier ones are already trained on."""

    def __init__(self, tokenizer: Tokenizer, meanings: np.ndarray, read: np.ndarray, rows: int) -> None:
        """`meanings` is one row a token, `read` one row a line or message that the rows' `meant` names."""
        self.tokenizer, self.meanings, self.read, self.ready = tokenizer, meanings, read, 0
        self.rows = {name: np.zeros((rows, length), kind) for name, (kind, length) in FIELDS.items()}
        self._grown = threading.Condition()
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        return len(self.rows["tokens"])

    def batch(self, chosen: slice) -> tuple[Tensor, ...]:
        """Tokens, positions, weights, conversations, places and meanings of the chosen rows, on the GPU.

        Waits until they are made.
        """
        with self._grown:
            self._grown.wait_for(lambda: self.ready >= chosen.stop or self._failure is not None)
        if self._failure:
            raise self._failure
        tokens, weights, docs, positions, places, meant = (
            torch.from_numpy(self.rows[name][chosen]).cuda(non_blocking=True) for name in FIELDS
        )
        return tokens.long(), positions.int(), weights.float() / WEIGHT_SCALE, docs.int(), places.long(), meant.long()

    def fill(self, made: Iterable[list[Row]]) -> None:
        """Takes rows in, chunk by chunk."""
        try:
            for chunk in made:
                for row in chunk:
                    for name in FIELDS:
                        self.rows[name][self.ready] = getattr(row, name)
                    self.ready += 1
                with self._grown:
                    self._grown.notify_all()
        except BaseException as failure:  # A worker's fault has to stop the training, which waits for its rows.
            self._failure = failure
            with self._grown:
                self._grown.notify_all()


def learn(data: Path, folder: Path, *, seed: int) -> None:
    """Word meanings and tokenizer from the public sets, the sentence encoder and the seed, into `folder`.

    What lies there already is used. Raises `FileNotFoundError` that names a missing set, `ModuleNotFoundError`
    if the encoder is needed and missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources, started = Sources(data), time.monotonic()
    if not (folder / "meanings.npz").exists():
        learned_meanings().save(folder / "meanings.npz")
    if not (folder / "mined.npz").exists():
        mine(sources, folder, brand=shop().pack.brand, held=held_intents(sources), seed=seed)
    if not (folder / "tokenizer.json").exists():
        speaker = Speaker(sources, shop().pack.brand, Mined.load(folder))
        listed = Meanings.load(folder / "meanings.npz").listed
        trained(_texts(speaker, seed), VOCABULARY, listed).save(str(folder / "tokenizer.json"))
    print(f"tokenizer ready after {time.monotonic() - started:.0f} s", flush=True)


def prepare(data: Path, folder: Path, own: Share, *, seed: int) -> Shards:
    """A process's own rows, from what was learned into `folder`, the public sets and the seed."""
    tokenizer = load(folder)
    meanings = Meanings.load(folder / "meanings.npz").of_pieces(tokenizer)
    shards = Shards(tokenizer, meanings, Mined.load(folder).vectors, own.rows)
    pool = ProcessPoolExecutor(
        own.workers,
        mp_context=get_context("spawn"),
        initializer=_start,
        initargs=(data, folder),
    )
    shards.ready = own.first
    threading.Thread(target=shards.fill, args=(pool.map(_make, own.chunks(seed)),), daemon=True).start()
    return shards


def _start(data: Path, folder: Path) -> None:
    """One row maker a process."""
    global _maker
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    _maker = RowMaker(load(folder), Speaker(Sources(data), shop().pack.brand, Mined.load(folder)))


def _make(seeds: range) -> list[Row]:
    assert _maker is not None
    return [_maker.row(seed) for seed in seeds]


def _texts(speaker: Speaker, seed: int) -> list[str]:
    """What the vocabulary is learned from: prompts, messages, replies."""
    texts = []
    for number in range(TOKENIZER_ROWS):
        rng = Random(seed + number)
        scene = scene_for(rng, speaker)
        texts.append(system_prompt(scene.catalogue.pack))
        texts += [text for _ in range(8) for turn in scene.dialogue() for text in (turn.text, turn.reply)]
    return texts
