from pathlib import Path

import pytest
from sqlalchemy import event, text

from sessions import Store
from sessions.database import driver_url, libpq_url
from tests.sessions.conftest import POSTGRES


@pytest.mark.parametrize(
    ("written", "driver"),
    [
        ("sqlite:///var/pindesk.db", "sqlite+aiosqlite:///var/pindesk.db"),
        ("sqlite+aiosqlite:////abs/pindesk.db", "sqlite+aiosqlite:////abs/pindesk.db"),
        ("postgresql://u:p%40ss@host:5432/db", "postgresql+psycopg://u:p%40ss@host:5432/db"),
        ("postgres://u@host/db?sslmode=require", "postgresql+psycopg://u@host/db?sslmode=require"),
        ("postgresql+psycopg://u@host/db", "postgresql+psycopg://u@host/db"),
    ],
)
def test_urls_are_written_without_a_driver(written: str, driver: str) -> None:
    assert driver_url(written).render_as_string(hide_password=False) == driver


def test_psycopg_reads_the_same_url() -> None:
    assert libpq_url("postgres://u:p%40ss@host/db") == "postgresql://u:p%40ss@host/db"


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="take sqlite or postgresql"):
        driver_url("mysql://u@host/db")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_loses_nothing_that_was_committed(store: Store) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1, "secure_delete": 1}
    async with store.read() as repo:
        for pragma, value in expected.items():
            assert (await repo.tx.session.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value, pragma


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_writers_of_sqlite_take_the_lock_at_once_and_readers_none(store: Store, second: Store) -> None:
    begun = []

    def listen(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    event.listen(store._engine.sync_engine, "before_cursor_execute", listen)
    async with store.begin() as repo:
        await repo.ping()
        async with second.read() as reader:
            await reader.ping()
    async with store.read() as repo:
        await repo.ping()
    assert begun == ["BEGIN IMMEDIATE", "BEGIN"]


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_postgresql_bounds_every_wait_and_refuses_writes_of_readers(store: Store) -> None:
    async with store.read() as repo:
        for setting, value in {
            "lock_timeout": "5s",
            "statement_timeout": "10s",
            "idle_in_transaction_session_timeout": "15s",
            "transaction_isolation": "repeatable read",
            "transaction_read_only": "on",
        }.items():
            assert (await repo.tx.session.execute(text(f"SHOW {setting}"))).scalar_one() == value
    async with store.begin() as repo:
        assert (await repo.tx.session.execute(text("SHOW transaction_read_only"))).scalar_one() == "off"


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/deep/er/store.db")
    assert (tmp_path / "deep/er").is_dir()
