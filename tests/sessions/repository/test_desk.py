import asyncio

import pytest

from sessions import Conflict, Conversation, ConversationState, FeedbackValue, NotFound, Role, Staff, Store
from tests.sessions.shop import AGENT, OTHER_AGENT, Chat, answer, claim, claimed, show


async def _takeover(chat: Chat, agent: Staff = AGENT) -> Conversation:
    async with chat.store.begin() as repo:
        return await repo.conversations.takeover(agent, chat.id, agent.name)


async def _handback(chat: Chat, note: str | None = None) -> Conversation:
    async with chat.store.begin() as repo:
        return await repo.conversations.handback(AGENT, chat.id, note)


async def _handoff(chat: Chat) -> Conversation:
    async with chat.store.begin() as repo:
        return await repo.conversations.request_handoff(chat.customer, chat.id)


async def _close(chat: Chat) -> Conversation:
    async with chat.store.begin() as repo:
        return await repo.conversations.close(chat.customer, chat.id)


async def test_asking_for_a_human_twice_is_asking_once(chat: Chat) -> None:
    for _ in range(2):
        assert (await _handoff(chat)).state == ConversationState.WAITING
    (event,) = await chat.events(staff=False)
    assert (event.kind, event.payload) == ("handoff", {"state": "waiting"})


async def test_who_has_an_agent_does_not_wait_for_one(chat: Chat) -> None:
    await _takeover(chat)
    assert (await _handoff(chat)).state == ConversationState.AGENT


async def test_an_agent_takes_over_and_hands_back(chat: Chat) -> None:
    taken = await _takeover(chat)
    assert (taken.state, taken.agent) == (ConversationState.AGENT, "Ada")
    back = await _handback(chat)
    assert (back.state, back.agent) == (ConversationState.BOT, None)
    assert [event.payload for event in await chat.events(staff=False)] == [
        {"state": "agent", "agent": "Ada"},
        {"state": "bot"},
    ]


async def test_of_two_agents_one_wins(chat: Chat, second: Store) -> None:
    there = Chat(second, chat.id, chat.token)
    results = await asyncio.gather(_takeover(chat), _takeover(there, OTHER_AGENT), return_exceptions=True)
    (refused,) = [result for result in results if isinstance(result, BaseException)]
    assert isinstance(refused, Conflict)
    assert refused.code == "already_taken"
    (event,) = await chat.events()
    assert event.payload["agent"] == (await chat.row()).agent


async def test_taking_over_twice_is_taking_over_once(chat: Chat) -> None:
    await _takeover(chat)
    await _takeover(chat)
    assert await chat.kinds() == ["handoff"]


async def test_taking_over_stops_what_is_not_answered(store: Store, chat: Chat) -> None:
    running, queued = await chat.post(), await chat.post()
    held = await claimed(store)
    await show(store, held, "I am")
    await _takeover(chat)
    events = await chat.events(staff=False)
    assert [event.kind for event in events][-3:] == ["turn.stopped", "turn.stopped", "handoff"]
    assert [event.payload for event in events[-3:-1]] == [
        {"turn_id": running.turn_id, "reason": "agent"},
        {"turn_id": queued.turn_id, "reason": "agent"},
    ]
    assert await show(store, held, " too late")
    assert await claim(store) is None


async def test_only_a_taken_conversation_is_handed_back(chat: Chat) -> None:
    with pytest.raises(Conflict) as refused:
        await _handback(chat)
    assert refused.value.code == "not_taken"


async def test_a_note_is_for_the_bot_and_the_staff(store: Store, chat: Chat) -> None:
    await _takeover(chat)
    await _handback(chat, "a voucher was sent")
    assert await chat.kinds() == ["handoff", "note", "handoff"]
    assert [event.kind for event in await chat.events(staff=False)] == ["handoff", "handoff"]
    async with store.read() as repo:
        assert list(await repo.messages.list(chat.customer, chat.id)) == []
        (note,) = await repo.messages.list(AGENT, chat.id)
    assert (note.role, note.content, note.staff) == (Role.AGENT, "a voucher was sent", True)


async def test_closing_twice_is_closing_once(chat: Chat) -> None:
    for _ in range(2):
        closed = await _close(chat)
        assert (closed.state, closed.closed_at is None) == (ConversationState.CLOSED, False)
    assert await chat.kinds() == ["conversation.closed"]


async def test_closing_ends_what_is_being_answered(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    await show(store, held, "I am")
    await chat.post()
    await _close(chat)
    assert (await chat.kinds())[-3:] == ["turn.stopped", "turn.stopped", "conversation.closed"]
    assert await claim(store) is None


@pytest.mark.parametrize("name", ["request_handoff", "takeover", "handback", "say", "typing"])
async def test_what_a_closed_conversation_refuses(store: Store, chat: Chat, name: str) -> None:
    await _close(chat)
    more = {"takeover": ["Ada"], "say": [Role.AGENT, "Hello"], "typing": [Role.AGENT]}.get(name, [])
    with pytest.raises(Conflict) as refused:
        async with store.begin() as repo:
            await getattr(repo.conversations, name)(AGENT, chat.id, *more)
    assert refused.value.code == "conversation_closed"


@pytest.mark.parametrize("role", [Role.AGENT, Role.SYSTEM])
async def test_the_staff_speaks(store: Store, chat: Chat, role: Role) -> None:
    async with store.begin() as repo:
        said = await repo.conversations.say(AGENT, chat.id, role, "Good morning")
    (event,) = await chat.events(staff=False)
    assert (event.kind, event.payload) == ("message", {"message": said.wire()})
    assert (said.seq, said.role, said.turn_id) == (event.seq, role, None)


@pytest.mark.parametrize("name", ["takeover", "handback", "say"])
async def test_customers_do_not_do_the_staffs_work(store: Store, chat: Chat, name: str) -> None:
    more = {"takeover": ["Ada"], "say": [Role.AGENT, "I am an agent"]}.get(name, [])
    with pytest.raises(NotFound):
        async with store.begin() as repo:
            await getattr(repo.conversations, name)(chat.customer, chat.id, *more)
    assert await chat.events() == []


async def test_of_typing_only_the_last_of_each_side_is_kept(store: Store, chat: Chat) -> None:
    for role in (Role.CUSTOMER, Role.CUSTOMER, Role.AGENT, Role.CUSTOMER):
        async with store.begin() as repo:
            await repo.conversations.typing(AGENT, chat.id, role)
    events = await chat.events(staff=False)
    assert [(event.seq, event.kind, event.payload) for event in events] == [
        (3, "typing", {"role": "agent"}),
        (4, "typing", {"role": "customer"}),
    ]


async def test_the_last_rating_counts(store: Store, chat: Chat) -> None:
    for score, comment in ((2, "slow"), (5, None)):
        async with store.begin() as repo:
            await repo.conversations.rate(chat.customer, chat.id, score, comment)
    async with store.read() as repo:
        rating = (await repo.conversations.export(chat.customer, chat.id))["rating"]
    assert (rating["score"], rating["comment"]) == (5, None)


async def test_the_last_thumb_counts(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    await answer(store, await claimed(store))
    message_id = (await chat.turn(posted.turn_id)).reply_message_id
    news = []
    for value in (FeedbackValue.UP, FeedbackValue.UP, FeedbackValue.DOWN):
        async with store.begin() as repo:
            news.append(await repo.conversations.feedback(chat.customer, message_id, value))
    assert [(thumbs.value, thumbs.is_news) for thumbs in news] == [("up", True), ("up", False), ("down", True)]
    assert {(thumbs.site_key, thumbs.template) for thumbs in news} == {
        ("demo", (await chat.turn(posted.turn_id)).template)
    }
    async with store.read() as repo:
        assert await repo.messages.votes(chat.customer, chat.id) == {message_id: FeedbackValue.DOWN}


async def test_thumbs_are_for_replies(store: Store, chat: Chat) -> None:
    await chat.post()
    async with store.read() as repo:
        (own,) = await repo.messages.list(chat.customer, chat.id)
    for message_id in (own.id, "msg_unknown"):
        with pytest.raises(NotFound):
            async with store.begin() as repo:
                await repo.conversations.feedback(chat.customer, message_id, FeedbackValue.UP)
