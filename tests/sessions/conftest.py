"""The store on both databases."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sessions import Site, Store, upgrade
from tests.postgres import own_database
from tests.sessions.shop import Chat, open_chat

POSTGRES = [pytest.param("postgres", marks=pytest.mark.postgres)]
BOTH = ["sqlite", *POSTGRES]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    asyncio.run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """The name of a PostgreSQL database with the schema, to be copied."""
    with own_database(postgres_server) as url:
        asyncio.run(upgrade(url))
        yield str(make_url(url).database)


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once on SQLite and once on PostgreSQL."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the schema, once on SQLite and once on PostgreSQL."""
    if request.param == "postgres":
        server, template = map(request.getfixturevalue, ("postgres_server", "migrated_template"))
        with own_database(server, template) as url:
            yield url
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path}/store.db"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = Store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store with the sites `demo` and `other`."""
    async with opened(database_url) as store:
        async with store.begin() as repo:
            for key in ("demo", "other"):
                await repo.sites.add(Site(key=key, name=key.title(), pack="demo-shop"))
        yield store


@pytest.fixture
async def second(store: Store, database_url: str) -> AsyncIterator[Store]:
    """Another process on the same database."""
    async with opened(database_url) as second:
        yield second


@pytest.fixture
async def chat(store: Store) -> Chat:
    """A new conversation on `demo`."""
    return await open_chat(store)
