import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest
import structlog

from sessions import Repository, Store, Unavailable
from sessions.poll import Poll
from sessions.ring import Ring
from tests.sessions.shop import Chat, answer, claimed, open_chat, show


async def test_readers_who_are_behind_are_woken(store: Store, chat: Chat) -> None:
    ring = Ring()
    poll = Poll(store.read, ring)
    other = await open_chat(store)
    await chat.post()
    with ring.tail(chat.id, 0) as behind, ring.tail(chat.id, 1) as level, ring.tail(other.id, 0) as quiet:
        await poll.look()
        assert (behind.wake.is_set(), level.wake.is_set(), quiet.wake.is_set()) == (True, False, False)


async def test_the_list_is_read_only_for_readers_of_the_list(store: Store, chat: Chat) -> None:
    ring = Ring()
    poll = Poll(store.read, ring)
    await poll.look()
    assert not ring.work.is_set()
    with ring.queue() as queue:
        await poll.look()
        assert queue.take() == [chat.id]
        await poll.look()
        assert queue.take() == [], "told once"
        await chat.post()
        await poll.look()
        assert queue.take() == [chat.id]
        held = await claimed(store)
        await show(store, held, "text that is being written")
        await poll.look()
        assert queue.take() == []
        await answer(store, held)
        await poll.look()
        assert queue.take() == [chat.id]


async def test_many_readers_are_asked_for_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.poll._AT_ONCE", 2)
    ring = Ring()
    chats = [await open_chat(store) for _ in range(5)]
    await chats[4].post()
    with ExitStack() as stack:
        tails = [stack.enter_context(ring.tail(chat.id, 0)) for chat in chats]
        await Poll(store.read, ring).look()
        assert [tail.wake.is_set() for tail in tails] == [False] * 4 + [True]


async def test_the_look_outlives_every_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.poll.POLL_S", 0.01)
    faults = iter([Unavailable("away"), RuntimeError("a mistake of ours")])
    asked = asyncio.Event()

    @asynccontextmanager
    async def read() -> AsyncIterator[Repository]:
        if fault := next(faults, None):
            raise fault
        asked.set()
        await asyncio.sleep(60)
        yield

    ring = Ring()
    with ring.tail("cnv_1", 0), structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(Poll(read, ring).run())
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
    assert [entry["event"] for entry in logs] == ["store_poll_failed"]
