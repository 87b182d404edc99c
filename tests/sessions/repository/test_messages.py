import pytest

from sessions import NotFound, Role, Store
from tests.sessions.shop import AGENT, Chat, answer, claimed


async def _talk(chat: Chat) -> None:
    await chat.post("one")
    await answer(chat.store, await claimed(chat.store), "reply to one")
    async with chat.store.begin() as repo:
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
        await repo.conversations.say(AGENT, chat.id, Role.AGENT, "Ada here")
        await repo.conversations.handback(AGENT, chat.id, "be kind")


async def test_the_transcript_is_in_order_and_read_on(store: Store, chat: Chat) -> None:
    await _talk(chat)
    seen, after = [], 0
    async with store.read() as repo:
        while page := await repo.messages.list(chat.customer, chat.id, after=after, limit=2):
            seen += page
            after = seen[-1].seq
    assert [(line.role, line.content) for line in seen] == [
        (Role.CUSTOMER, "one"),
        (Role.ASSISTANT, "reply to one"),
        (Role.AGENT, "Ada here"),
    ]


@pytest.mark.parametrize("after", [-1, 2**31, 10**30])
async def test_any_number_can_be_read_on_from(store: Store, chat: Chat, after: int) -> None:
    await _talk(chat)
    async with store.read() as repo:
        messages = await repo.messages.list(chat.customer, chat.id, after=after)
        events = await repo.events.list(chat.customer, chat.id, after=after)
    assert bool(messages) == bool(events) == (after < 0)


async def test_the_staff_sees_how_a_reply_was_made(store: Store, chat: Chat) -> None:
    await _talk(chat)
    async with store.read() as repo:
        details = await repo.messages.details(AGENT, chat.id)
    assert [(item.message.role, item.turn is not None) for item in details] == [
        (Role.CUSTOMER, False),
        (Role.ASSISTANT, True),
        (Role.AGENT, False),
        (Role.AGENT, False),
    ]
    assert details[1].turn.template == "track_order"
    assert details[3].message.staff


async def test_customers_do_not(store: Store, chat: Chat) -> None:
    async with store.read() as repo:
        with pytest.raises(NotFound):
            await repo.messages.details(chat.customer, chat.id)
