"""The files of the grammar: TOML, read once."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grammar"


@cache
def table(name: str) -> dict[str, Any]:
    """A file of the grammar."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def words(name: str) -> tuple[str, ...]:
    """A word list of `words.toml`."""
    return tuple(table("words")[name].split())
