import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from sessions import Role, Store
from sessions.identifiers import CONVERSATION, new_id
from sessions.notices import MAX_BYTES, read, write
from tests.sessions.conftest import POSTGRES
from tests.sessions.shop import AGENT, Chat, open_chat

ids = st.from_regex(r"cnv_[A-Za-z0-9_-]{22}", fullmatch=True)


@given(st.dictionaries(ids, st.booleans(), max_size=200))
def test_what_is_written_is_read(changed: dict[str, bool]) -> None:
    assert read(write(changed)) == changed


def test_a_flush_of_very_many_conversations_says_only_that_there_was_one() -> None:
    written = write({new_id(CONVERSATION): True for _ in range(1000)})
    assert written == "*"
    assert len(write({new_id(CONVERSATION): True for _ in range(200)}).encode()) <= MAX_BYTES


class Heard:
    """Payloads of the channel, as they come to a connection of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.payloads: list[str] = []
        monkeypatch.setattr("sessions.notices.Notices._hear", lambda _, payload: self.payloads.append(payload))

    async def after(self, seconds: float = 0.3) -> list[str]:
        await asyncio.sleep(seconds)
        heard, self.payloads = self.payloads, []
        return sorted(set(heard))


@pytest.fixture
async def heard(monkeypatch: pytest.MonkeyPatch, second: Store) -> Heard:
    heard = Heard(monkeypatch)
    await heard.after()
    return heard


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_a_transaction_is_told_once_whatever_it_holds(store: Store, heard: Heard) -> None:
    chats = [await open_chat(store) for _ in range(3)]
    await heard.after()
    async with store.begin() as repo:
        for chat in chats:
            for words in ("one", "two"):
                await repo.conversations.say(AGENT, chat.id, Role.AGENT, words)
        await repo.conversations.typing(AGENT, chats[0].id, Role.AGENT)
    (payload,) = await heard.after()
    _, _, words = payload.partition(":")
    assert read(words) == {chat.id: True for chat in chats}


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_what_is_rolled_back_or_only_read_is_not_told(store: Store, chat: Chat, heard: Heard) -> None:
    await heard.after()
    with pytest.raises(ZeroDivisionError):
        await _say_and_fail(store, chat)
    async with store.read() as repo:
        await repo.events.list(chat.customer, chat.id)
    async with store.begin() as repo:
        await repo.turns.claim("web-1", 10)
    assert await heard.after() == []


async def _say_and_fail(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        await repo.conversations.say(AGENT, chat.id, Role.AGENT, "one")
        await repo.tx.session.flush()
        raise ZeroDivisionError


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_a_listener_that_lost_its_connection_comes_back(store: Store, second: Store, chat: Chat) -> None:
    tail = second.feed.tail(chat.customer, chat.id)
    coming = asyncio.ensure_future(anext(tail))
    await asyncio.sleep(0.3)
    async with store.begin() as repo:
        await repo.tx.session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN pindesk'")
        )
    await chat.post()
    assert (await asyncio.wait_for(coming, 5)).seq == 1
    await asyncio.sleep(1.5)
    async with store.read() as repo:
        listening = await repo.tx.session.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN pindesk' AND datname = current_database()"
            )
        )
        assert listening.scalar_one() == 2
    await tail.aclose()


@pytest.mark.parametrize("database_url", POSTGRES, indirect=True)
async def test_a_store_that_closes_at_once_leaves_no_connection(database_url: str, store: Store) -> None:
    for _ in range(10):
        short = Store(database_url)
        await short.open()
        await asyncio.sleep(0)
        await short.close()
    async with store.read() as repo:
        left = await repo.tx.session.execute(
            text("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN pindesk'")
        )
        assert left.scalar_one() <= 1
