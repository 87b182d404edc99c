"""SQLite behind as few trips to a connection's thread as its statements need."""

import asyncio

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions import Store
from sessions.database import reading, writing

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

INSERT = text("INSERT INTO note (word) VALUES (:word)")


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to the connections' threads."""
    sent: list[str] = []
    execute = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, call: object, *args: object, **named: object) -> object:
        sent.append(getattr(call, "__name__", ""))
        return await execute(self, call, *args, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return sent


async def noted(connection: AsyncConnection) -> list[str]:
    return list((await connection.execute(text("SELECT word FROM note ORDER BY id"))).scalars())


@pytest.fixture
async def notes(store: Store) -> Store:
    async with writing(store._engine).begin() as connection:
        await connection.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, word TEXT UNIQUE)"))
        await connection.execute(INSERT, {"word": "one"})
    return store


async def test_a_statement_is_one_trip_and_begin_goes_with_the_first(notes: Store, trips: list[str]) -> None:
    async with reading(notes._engine).connect() as connection:
        assert await noted(connection) == ["one"]
        assert await noted(connection) == ["one"]
    assert trips == ["_run", "_run"]
    trips.clear()
    async with writing(notes._engine).begin() as connection:
        assert await noted(connection) == ["one"]
    assert trips == ["_run", "_run", "commit"]


async def test_a_transaction_without_a_statement_does_not_reach_the_database(notes: Store, trips: list[str]) -> None:
    async with reading(notes._engine).connect() as connection:
        await connection.begin()
    assert trips == []
    async with reading(notes._engine).begin() as connection:
        assert await noted(connection) == ["one"]


async def test_a_reader_sees_one_moment(notes: Store) -> None:
    async with reading(notes._engine).begin() as reader:
        assert await noted(reader) == ["one"]
        async with writing(notes._engine).begin() as writer:
            await writer.execute(INSERT, {"word": "two"})
        assert await noted(reader) == ["one"]
    async with reading(notes._engine).begin() as reader:
        assert await noted(reader) == ["one", "two"]


async def test_a_reader_who_is_done_keeps_nothing_from_being_written(notes: Store) -> None:
    for number in range(20):
        async with reading(notes._engine).connect() as connection:
            await noted(connection)
        async with writing(notes._engine).begin() as connection:
            await connection.execute(INSERT, {"word": str(number)})
    async with reading(notes._engine).connect() as connection:
        assert len(await noted(connection)) == 21


async def test_what_fails_is_rolled_back_and_the_connection_serves_on(notes: Store) -> None:
    async def broken() -> None:
        async with writing(notes._engine).begin() as connection:
            await connection.execute(INSERT, {"word": "two"})
            await connection.execute(text("SELECT 1 FROM nowhere"))

    with pytest.raises(OperationalError, match="no such table"):
        await broken()
    for _ in range(3):
        async with writing(notes._engine).begin() as connection:
            assert await noted(connection) == ["one"]


async def test_counts_and_returned_rows_are_the_databases(notes: Store) -> None:
    async with writing(notes._engine).begin() as connection:
        await connection.execute(INSERT, [{"word": "two"}, {"word": "three"}])
        changed = await connection.execute(text("UPDATE note SET word = word || '!' WHERE id > 1"))
        assert changed.rowcount == 2
        gone = await connection.execute(text("DELETE FROM note WHERE id > 1 RETURNING word"))
        assert sorted(gone.scalars()) == ["three!", "two!"]
        assert (await connection.execute(INSERT, {"word": "four"})).lastrowid == 2


async def test_who_is_cancelled_leaves_no_transaction_behind(notes: Store) -> None:
    async def interrupted() -> None:
        async with writing(notes._engine).begin() as connection:
            await connection.execute(INSERT, {"word": "two"})
            await noted(connection)

    for moment in range(12):
        writer = asyncio.create_task(interrupted())
        for _ in range(moment):
            await asyncio.sleep(0)
        writer.cancel()
        await asyncio.wait([writer])
        async with writing(notes._engine).begin() as connection:
            await connection.execute(text("DELETE FROM note WHERE word = 'two'"))
            assert await noted(connection) == ["one"]
