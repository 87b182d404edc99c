"""The files of the grammar, read once: TOML, and lists of a line each."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grammar"


@cache
def table(name: str) -> dict[str, Any]:
    """A file of the grammar, or all files of a folder: lists of the same key are one list."""
    whole: dict[str, Any] = {}
    for path in sorted((FOLDER / name).glob("*.toml")) or [FOLDER / f"{name}.toml"]:
        for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
            whole[key] = [*whole[key], *value] if key in whole else value
    return whole


@cache
def words(name: str) -> tuple[str, ...]:
    """A word list of `words.toml`."""
    return tuple(table("words")[name].split())


@cache
def lines(name: str) -> tuple[str, ...]:
    """A list of the grammar's folder."""
    return tuple((FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines())
