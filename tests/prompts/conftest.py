"""Packs for the tests: the demo shop, and small ones written to a folder and changed at will."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from prompts import Pack, load_pack

DEMO = Path(__file__).parents[2] / "prompts" / "packs" / "demo-shop"

Edit = Callable[[str, str, str], None]


@pytest.fixture(scope="session")
def demo() -> Pack:
    """The pack that ships."""
    return load_pack(DEMO)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo shop's folder, to spoil."""
    return Path(shutil.copytree(DEMO, tmp_path / "demo-shop"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Replaces a text in one of the copy's files; the text must be there."""

    def replace(file: str, old: str, new: str) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace
