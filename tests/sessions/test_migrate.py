"""The migrations make what the models say, forth and back, on both databases."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from sessions import Server, Site, Store, Unavailable, upgrade
from sessions.database import open_migrating_engine
from sessions.migrate import SCRIPTS, downgrade
from sessions.models import Base
from tests.sessions.shop import open_chat

VERSION_TABLE = "store_version"


def _revisions() -> list[str]:
    """Every revision, oldest first."""
    return [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()][::-1]


def _tables(url: str) -> set[str]:
    with open_migrating_engine(url).begin() as connection:
        return set(inspect(connection).get_table_names())


def _differences(connection: Connection) -> list[object]:
    options = {
        "version_table": VERSION_TABLE,
        "include_name": lambda name, kind, parents: kind != "table" or name in Base.metadata.tables,
        "compare_type": True,
    }
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


async def test_the_migrations_make_what_the_models_say(empty_url: str) -> None:
    await upgrade(empty_url)
    with open_migrating_engine(empty_url).begin() as connection:
        assert _differences(connection) == []


async def test_migrating_again_changes_nothing(empty_url: str) -> None:
    for _ in range(2):
        await upgrade(empty_url)
    assert _tables(empty_url) == {VERSION_TABLE, *Base.metadata.tables}


async def test_processes_that_start_at_once_agree(empty_url: str) -> None:
    command = ("import asyncio, sys; from sessions import upgrade; asyncio.run(upgrade(sys.argv[1]))", empty_url)
    starting = [
        asyncio.create_subprocess_exec(
            sys.executable, "-c", *command, cwd=SCRIPTS.parents[1], stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in await asyncio.gather(*starting):
        _, words = await process.communicate()
        assert process.returncode == 0, words.decode()
    assert _tables(empty_url) == {VERSION_TABLE, *Base.metadata.tables}


async def test_every_step_goes_back(empty_url: str) -> None:
    for revision in _revisions():
        await upgrade(empty_url, revision)
    for revision in [*_revisions()[-2::-1], "base"]:
        await downgrade(empty_url, revision)
    assert _tables(empty_url) <= {VERSION_TABLE}
    await upgrade(empty_url)


async def test_rows_outlive_a_migration(empty_url: str) -> None:
    oldest, *newer = _revisions()
    await upgrade(empty_url, oldest)
    with open_migrating_engine(empty_url).begin() as connection:
        for statement in _ROWS:
            connection.execute(text(statement))
    for revision in newer:
        await upgrade(empty_url, revision)
    store = Store(empty_url)
    async with store.read() as repo:
        (message,) = await repo.messages.list(Server(), "cnv_1")
    assert message.content == "kept"
    await store.close()


_ROWS = (
    "INSERT INTO site (key, name, allowed_origins, pack, secrets, salt_epoch, enabled, created_at)"
    " VALUES ('demo', 'Demo', '[]', 'demo-shop', '[]', 0, true, '2026-01-01 00:00:00')",
    "INSERT INTO conversation (id, site_key, token_hash, locale, state, last_seq, pack, pack_version,"
    " pin_cached_tokens, pin_version, created_at, updated_at)"
    " VALUES ('cnv_1', 'demo', 'hash', 'en', 'bot', 1, 'demo-shop', 'v1', 0, 0,"
    " '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    "INSERT INTO message (id, conversation_id, seq, role, staff, content, quick_replies, created_at)"
    " VALUES ('msg_1', 'cnv_1', 1, 'agent', false, 'kept', '[]', '2026-01-01 00:00:00')",
)


async def test_a_failing_migration_leaves_nothing(empty_url: str) -> None:
    with open_migrating_engine(empty_url).begin() as connection:
        connection.execute(text("CREATE TABLE turn (id TEXT)"))
    with pytest.raises(Exception, match="turn"):
        await upgrade(empty_url)
    assert _tables(empty_url) == {"turn"}


async def test_the_tables_of_others_are_left_alone(empty_url: str) -> None:
    with open_migrating_engine(empty_url).begin() as connection:
        connection.execute(text("CREATE TABLE span (id TEXT)"))
    await upgrade(empty_url)
    await downgrade(empty_url, "base")
    assert "span" in _tables(empty_url)


async def test_a_database_that_is_away_is_said() -> None:
    with pytest.raises(Unavailable):
        await upgrade("postgresql://nobody@127.0.0.1:9/nothing")


async def test_a_new_folder_is_made_and_used(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/store.db"
    await upgrade(url)
    store = Store(url)
    async with store.begin() as repo:
        await repo.sites.add(Site(key="demo", name="Demo", pack="demo-shop"))
    assert (await open_chat(store)).id
    await store.close()
