import shutil
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chat.packs import FOLDER, Packs
from sessions import Site, Store, upgrade


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of packs with a copy of the demo shop in it."""
    shutil.copytree(FOLDER / "demo-shop", tmp_path / "packs" / "demo-shop")
    return tmp_path / "packs"


@pytest.fixture
def edit(folder: Path) -> Callable[[str], None]:
    """Gives the demo shop another brand, which makes another version of it."""

    def change(brand: str) -> None:
        path = folder / "demo-shop" / "pack.toml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(tomllib.loads(text)["brand"], brand), encoding="utf-8")

    return change


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path}/packs.db"
    await upgrade(url)
    store = Store(url)
    async with store.begin() as repo:
        await repo.sites.add(Site(key="demo", name="Demo", pack="demo-shop"))
    yield store
    await store.close()


@pytest.fixture
async def packs(store: Store, folder: Path) -> Packs:
    packs = Packs(store, folder)
    await packs.open()
    return packs
