"""The feed on both databases: SQLite has only the poll between two stores, PostgreSQL its notices as well."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from sessions import Event, NotFound, Principal, Role, Server, Store, Unavailable
from sessions.feed import PAGE
from tests.sessions.conftest import POSTGRES
from tests.sessions.shop import AGENT, Chat, answer, claim, claimed, open_chat, show

SOON_S = 5.0


class Reader:
    """Somebody who tails a conversation in the background."""

    def __init__(self, store: Store, principal: Principal, conversation_id: str, after: int = 0) -> None:
        self.events: list[Event] = []
        self.stop = asyncio.Event()
        self._tail = store.feed.tail(principal, conversation_id, after, self.stop)
        self._came = asyncio.Condition()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._tail:
            self.events.append(event)
            async with self._came:
                self._came.notify_all()

    async def until(self, count: int) -> list[str]:
        """The kinds that were read, once there are `count` events."""
        async with asyncio.timeout(SOON_S), self._came:
            await self._came.wait_for(lambda: len(self.events) >= count)
        return self.kinds

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@asynccontextmanager
async def reading(store: Store, principal: Principal, chat: Chat, after: int = 0) -> AsyncIterator[Reader]:
    reader = Reader(store, principal, chat.id, after)
    try:
        yield reader
    finally:
        reader.task.cancel()
        with suppress(asyncio.CancelledError):
            await reader.task


async def test_what_was_written_comes_first_and_then_what_is_written(store: Store, chat: Chat) -> None:
    await chat.post()
    async with reading(store, chat.customer, chat) as reader:
        await reader.until(1)
        held = await claimed(store)
        await show(store, held, "It is")
        await reader.until(2)
        await answer(store, held)
        assert await reader.until(3) == ["turn.started", "reply.delta", "reply.done"]


async def test_a_reader_resumes_where_it_was(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    for text in ("It ", "is ", "on ", "its "):
        await show(store, held, text)
    async with reading(store, chat.customer, chat, after=3) as reader:
        await reader.until(2)
        await show(store, held, "way")
        await reader.until(3)
    assert [(event.seq, event.payload["text"]) for event in reader.events] == [(4, "on "), (5, "its "), (6, "way")]


async def test_a_reader_that_comes_back_after_the_reply_gets_it_whole(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    for text in ("It ", "is "):
        await show(store, held, text)
    await answer(store, held, "It is on its way.")
    async with reading(store, chat.customer, chat, after=2) as reader:
        assert await reader.until(1) == ["reply.done"]
    assert reader.events[0].payload["message"]["content"] == "It is on its way."


async def test_another_process_hears_of_it(store: Store, second: Store, chat: Chat) -> None:
    async with reading(second, chat.customer, chat) as reader:
        for n in range(3):
            await chat.post(f"{n}")
            await reader.until(n + 1)
    assert [event.seq for event in reader.events] == [1, 2, 3]


async def test_another_process_hears_by_poll_alone(
    store: Store, second: Store, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.notices.Notices._hear", lambda notices, payload: None)
    async with reading(second, chat.customer, chat) as reader:
        await chat.post()
        await reader.until(1)


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_notices_are_heard_without_the_poll(
    store: Store, second: Store, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_look(poll: object) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("sessions.poll.Poll.look", no_look)
    async with reading(second, chat.customer, chat) as reader:
        await chat.post()
        await reader.until(1)
        held = await claimed(second)
        await show(store, held, "It is")
        await reader.until(2)


async def test_the_staffs_events_are_for_the_staff(store: Store, chat: Chat) -> None:
    async with reading(store, chat.customer, chat) as customer, reading(store, AGENT, chat) as agent:
        await chat.post()
        await answer(store, await claimed(store))
        await chat.post()
        assert await agent.until(4) == ["turn.started", "reply.done", "turn.annotated", "turn.started"]
        assert await customer.until(3) == ["turn.started", "reply.done", "turn.started"]
    assert [event.seq for event in customer.events] == [1, 2, 4], "the customer's seq jumps"


async def test_hidden_events_do_not_keep_a_reader_awake(
    store: Store, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chat.post()
    await answer(store, await claimed(store))
    async with reading(store, chat.customer, chat) as reader:
        await reader.until(2)
        reads = 0

        async def counted(*args: object, **kwargs: object) -> object:
            nonlocal reads
            reads += 1
            return await original(*args, **kwargs)

        original = store.feed._page
        monkeypatch.setattr(store.feed, "_page", counted)
        await asyncio.sleep(2.2)
    assert reads == 0


async def test_more_than_a_page_comes_in_order(store: Store, chat: Chat) -> None:
    count = 2 * PAGE + 7
    async with store.begin() as repo:
        for n in range(count):
            await repo.conversations.say(AGENT, chat.id, Role.AGENT, f"{n}")
    async with reading(store, chat.customer, chat) as reader:
        await reader.until(count)
    assert [event.seq for event in reader.events] == list(range(1, count + 1))


@pytest.mark.parametrize("reader_store", ["store", "second"])
async def test_a_tail_ends_when_its_conversation_is_deleted(
    store: Store, second: Store, chat: Chat, reader_store: str
) -> None:
    await chat.post()
    async with reading({"store": store, "second": second}[reader_store], chat.customer, chat) as reader:
        await reader.until(1)
        async with store.begin() as repo:
            await repo.conversations.delete(chat.customer, chat.id)
        await asyncio.wait_for(reader.task, SOON_S)
    assert reader.kinds == ["turn.started"]


async def test_a_tail_ends_when_it_is_told_to(store: Store, chat: Chat) -> None:
    async with reading(store, chat.customer, chat) as reader:
        await asyncio.sleep(0.05)
        reader.stop.set()
        await asyncio.wait_for(reader.task, SOON_S)


async def test_a_tail_of_somebody_elses_conversation_is_not_found(store: Store, chat: Chat) -> None:
    other = await open_chat(store)
    with pytest.raises(NotFound):
        await anext(store.feed.tail(other.customer, chat.id))


async def test_waiting_holds_no_connection(store: Store, chat: Chat) -> None:
    readers = [Reader(store, chat.customer, chat.id) for _ in range(40)]
    await chat.post()
    await asyncio.gather(*(reader.until(1) for reader in readers))
    async with asyncio.timeout(SOON_S):
        while store._engine.pool.checkedout():
            await asyncio.sleep(0.01)
    assert not any(reader.task.done() for reader in readers)
    for reader in readers:
        reader.stop.set()
    await asyncio.wait_for(asyncio.gather(*(reader.task for reader in readers)), SOON_S)


async def test_readers_leave_nothing_behind(store: Store, chat: Chat) -> None:
    async with reading(store, chat.customer, chat) as reader:
        await chat.post()
        await reader.until(1)
    assert store._ring.tailed == []


async def test_a_reader_outlives_a_database_that_is_away_for_a_moment(
    store: Store, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reading(store, chat.customer, chat) as reader:
        await asyncio.sleep(0.05)
        broken = True

        async def page(*args: object) -> object:
            if broken:
                raise Unavailable("away")
            return await original(*args)

        original = store.feed._page
        monkeypatch.setattr(store.feed, "_page", page)
        await chat.post()
        await asyncio.sleep(0.1)
        broken = False
        await reader.until(1)


async def test_the_queue_tells_which_conversations_changed(store: Store, chat: Chat) -> None:
    elsewhere = await open_chat(store, "other")
    staff = type(AGENT)("Ada", AGENT.scopes, frozenset({"demo"}))
    changes: asyncio.Queue[str] = asyncio.Queue()
    stop = asyncio.Event()

    async def read() -> None:
        async for conversation_id in store.feed.tail_queue(staff, stop):
            changes.put_nowait(conversation_id)

    task = asyncio.create_task(read())
    await asyncio.sleep(1.5)
    while not changes.empty():
        changes.get_nowait()
    await elsewhere.post()
    await chat.post()
    assert await asyncio.wait_for(changes.get(), SOON_S) == chat.id
    held = [await claimed(store), await claimed(store)]
    for one in held:
        await show(store, one, "text that is being written is no change of the list")
    await asyncio.sleep(1.2)
    assert changes.empty()
    for one in held:
        await answer(store, one)
    assert await asyncio.wait_for(changes.get(), SOON_S) == chat.id
    async with store.begin() as repo:
        await repo.conversations.delete(Server(), chat.id)
        await repo.conversations.delete(Server(), elsewhere.id)
    assert await asyncio.wait_for(changes.get(), SOON_S) == chat.id
    stop.set()
    await asyncio.wait_for(task, SOON_S)
    assert changes.empty()


async def test_the_queue_hears_of_other_processes(store: Store, second: Store, chat: Chat) -> None:
    tail = second.feed.tail_queue(AGENT)
    coming = asyncio.ensure_future(anext(tail))
    await asyncio.sleep(0.05)
    await chat.post()
    assert await asyncio.wait_for(coming, SOON_S) == chat.id
    await tail.aclose()


async def test_work_wakes_who_waits_for_it(store: Store, chat: Chat) -> None:
    while await claim(store):
        continue
    store._ring.work.clear()
    waiting = asyncio.create_task(store.feed.wait_for_work(SOON_S))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await chat.post()
    await asyncio.wait_for(waiting, 1.0)


async def test_work_that_came_before_the_wait_is_not_missed(store: Store, chat: Chat) -> None:
    await chat.post()
    async with asyncio.timeout(1.0):
        await store.feed.wait_for_work(SOON_S)


async def test_without_work_the_wait_ends_in_time(store: Store) -> None:
    store._ring.work.clear()
    async with asyncio.timeout(1.0):
        await store.feed.wait_for_work(0.05)
