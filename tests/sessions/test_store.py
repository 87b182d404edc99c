"""Transactions: all or nothing, in order under load, honest when the database is away."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from sessions import Role, Server, Store, Unavailable
from tests.sessions.conftest import POSTGRES
from tests.sessions.shop import AGENT, Chat, open_chat

WRITERS = 50
LINES = 6
SQLITE = ["sqlite"]


async def _say(store: Store, conversation_id: str, words: str) -> int:
    async with store.begin() as repo:
        return (await repo.conversations.say(AGENT, conversation_id, Role.AGENT, words)).seq


async def test_an_exception_leaves_nothing_and_wakes_nobody(store: Store, chat: Chat) -> None:
    store._ring.work.clear()

    async def write() -> None:
        async with store.begin() as repo:
            await repo.turns.accept(chat.customer, chat.id, "c", "text", "text", "hash")
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await write()
    assert await chat.events() == []
    assert (await chat.row()).last_seq == 0
    assert not store._ring.work.is_set()


async def test_a_cancelled_transaction_leaves_nothing(store: Store, chat: Chat) -> None:
    reached = asyncio.Event()

    async def write() -> None:
        async with store.begin() as repo:
            await repo.turns.accept(chat.customer, chat.id, "c", "text", "text", "hash")
            reached.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await chat.events() == []
    assert await asyncio.wait_for(_say(store, chat.id, "and the next one is not held up"), 5) == 1


async def test_rows_are_read_after_the_transaction(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        said = await repo.conversations.say(AGENT, chat.id, Role.AGENT, "Hello")
        row = await repo.conversations.get(Server(), chat.id)
    assert (said.content, row.last_seq) == ("Hello", 1)


async def test_a_reading_transaction_sees_one_moment(store: Store, chat: Chat) -> None:
    async with store.read() as repo:
        before = await repo.events.list(chat.customer, chat.id)
        await chat.post()
        repo.tx.session.expire_all()
        assert await repo.events.list(chat.customer, chat.id) == before == []
    assert len(await chat.events()) == 1


async def test_fifty_writers_leave_no_gap_and_nobody_is_told_to_wait(store: Store, chat: Chat) -> None:
    async def write(writer: int) -> list[int]:
        return [await _say(store, chat.id, f"{writer}:{n}") for n in range(LINES)]

    seqs = await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    assert all(own == sorted(own) for own in seqs), "one writer's lines keep their order"
    assert sorted(seq for own in seqs for seq in own) == list(range(1, WRITERS * LINES + 1))
    events = await chat.events()
    assert [event.seq for event in events] == list(range(1, WRITERS * LINES + 1))
    assert [event.payload["message"]["seq"] for event in events] == [event.seq for event in events]
    said = {event.payload["message"]["content"]: event.seq for event in events}
    assert all(said[f"{writer}:{n}"] == seqs[writer][n] for writer in range(WRITERS) for n in range(LINES))


async def test_writers_of_several_processes_leave_no_gap(store: Store, second: Store, chat: Chat) -> None:
    async def write(at: Store, writer: int) -> None:
        for n in range(LINES):
            await _say(at, chat.id, f"{writer}:{n}")

    await asyncio.gather(*(write(at, writer) for writer, at in enumerate([store, second] * 6)))
    assert [event.seq for event in await chat.events()] == list(range(1, 12 * LINES + 1))


async def test_writers_of_many_conversations_do_not_lock_each_other_up(store: Store, second: Store) -> None:
    chats = [await open_chat(store) for _ in range(8)]

    async def write(at: Store, order: list[Chat]) -> None:
        for _ in range(4):
            async with at.begin() as repo:
                await repo.conversations.log.lock_all([chat.id for chat in order])
                for chat in order:
                    await repo.conversations.say(AGENT, chat.id, Role.AGENT, "hello")

    await asyncio.gather(*(write(at, chats[::way]) for at in (store, second) for way in (1, -1)))
    for chat in chats:
        assert [event.seq for event in await chat.events()] == list(range(1, 17))


@pytest.mark.parametrize("database_url", SQLITE, indirect=True)
async def test_a_locked_file_is_said_in_time_and_heals(store: Store, chat: Chat, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("PRAGMA busy_timeout=0")
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    results = await asyncio.gather(*(_say(store, chat.id, "waiting") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert time.monotonic() - began < 12, "the waits do not add up"
    assert await chat.events() == [], "readers go on"
    holder.execute("ROLLBACK")
    holder.close()
    assert await _say(store, chat.id, "again") == 1


@pytest.mark.parametrize("database_url", SQLITE, indirect=True)
async def test_a_full_disk_is_said_and_heals(store: Store, chat: Chat) -> None:
    async def limit_pages(more: int) -> None:
        async with store._engine.connect() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count={pages + more}"))

    async def fill() -> None:
        for _ in range(200):
            await _say(store, chat.id, "x" * 4000)

    await limit_pages(0)
    with pytest.raises(Unavailable):
        await fill()
    written = len(await chat.events())
    await limit_pages(100_000)
    assert await _say(store, chat.id, "again") == written + 1
    async with store.read() as repo:
        assert (await repo.tx.session.execute(text("PRAGMA integrity_check"))).scalar_one() == "ok"


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_a_connection_that_broke_is_replaced(store: Store, second: Store, chat: Chat) -> None:
    await _say(store, chat.id, "one")
    async with second.begin() as repo:
        await repo.tx.session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert await _say(store, chat.id, "two") == 2


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_a_connection_that_breaks_in_a_transaction_is_said(store: Store, second: Store, chat: Chat) -> None:
    async def write() -> None:
        async with store.begin() as repo:
            await repo.conversations.say(AGENT, chat.id, Role.AGENT, "lost")
            pid = (await repo.tx.session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            await repo.tx.session.flush()
            async with second.begin() as other:
                await other.tx.session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with pytest.raises(Unavailable):
        await write()
    assert await chat.events() == []


async def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    store = Store(f"sqlite:///{blocked}/folder/store.db")
    (blocked / "folder").rmdir()
    with pytest.raises(Unavailable):
        async with store.read() as repo:
            await repo.ping()
    await store.close()


async def test_a_server_that_is_not_there_is_said_at_once() -> None:
    store = Store("postgresql://nobody@127.0.0.1:9/nothing")
    await store.open()
    async with asyncio.timeout(4):
        with pytest.raises(Unavailable):
            async with store.begin() as repo:
                await repo.ping()
    await store.close()


async def test_ping_answers(store: Store) -> None:
    async with store.read() as repo:
        await repo.ping()
