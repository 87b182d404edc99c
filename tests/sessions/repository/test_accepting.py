import asyncio

import pytest

from sessions import Conflict, NotFound, ReplayMismatch, Role, Server, Store, TurnState
from tests.sessions.shop import AGENT, Chat, answer, claim, claimed, finish, open_chat, show


async def _stop(chat: Chat, turn_id: str) -> TurnState:
    async with chat.store.begin() as repo:
        return await repo.turns.stop(chat.customer, chat.id, turn_id)


async def _retry(chat: Chat, turn_id: str) -> TurnState:
    async with chat.store.begin() as repo:
        return await repo.turns.retry(chat.customer, chat.id, turn_id)


async def _fail(chat: Chat, notice: str | None = None) -> str:
    """Post a turn that fails; returns its id."""
    posted = await chat.post()
    held = await claimed(chat.store)
    async with chat.store.begin() as repo:
        await repo.turns.fail(held, "no_replica", notice, ["Talk to a human"])
    return posted.turn_id


async def test_a_message_is_a_turn_an_event_and_a_line(chat: Chat) -> None:
    accepted = await chat.post("Hello there", client_turn_id="c-1")
    (event,) = await chat.events(staff=False)
    async with chat.store.read() as repo:
        (message,) = await repo.messages.list(chat.customer, chat.id)
    assert accepted.seq == event.seq == message.seq == 1
    assert not accepted.replay
    assert event.kind == "turn.started"
    assert event.payload == {"turn_id": accepted.turn_id, "client_turn_id": "c-1", "message": message.wire()}
    assert set(message.wire()) == {"id", "seq", "turn_id", "role", "content", "quick_replies", "created_at"}
    assert (message.role, message.content, message.turn_id) == (Role.CUSTOMER, "Hello there", accepted.turn_id)
    assert (await chat.row()).last_seq == 1


async def test_a_replay_gets_the_same_answer_and_writes_nothing(chat: Chat) -> None:
    first = await chat.post("Hello", client_turn_id="same")
    await chat.post("And another thing")
    again = await chat.post("Hello", client_turn_id="same")
    assert (again.turn_id, again.seq, again.replay) == (first.turn_id, first.seq, True)
    assert len(await chat.events()) == 2


async def test_a_replay_is_answered_after_the_end_of_the_conversation(chat: Chat) -> None:
    first = await chat.post("Hello", client_turn_id="same")
    async with chat.store.begin() as repo:
        await repo.conversations.close(chat.customer, chat.id)
    assert (await chat.post("Hello", client_turn_id="same")).turn_id == first.turn_id


async def test_a_replay_with_other_words_is_refused(chat: Chat) -> None:
    await chat.post("Hello", client_turn_id="same")
    with pytest.raises(ReplayMismatch):
        await chat.post("Goodbye", client_turn_id="same")
    assert len(await chat.events()) == 1


async def test_client_ids_belong_to_their_conversation(store: Store, chat: Chat) -> None:
    other = await open_chat(store)
    first, second = await chat.post("Hello", "same"), await other.post("Good morning", "same")
    assert first.turn_id != second.turn_id


async def test_one_message_sent_ten_times_at_once_is_stored_once(chat: Chat) -> None:
    posts = await asyncio.gather(*(chat.post("Hello", client_turn_id="same") for _ in range(10)))
    assert len({post.turn_id for post in posts}) == 1
    assert [post.replay for post in posts].count(False) == 1
    assert await chat.kinds() == ["turn.started"]


async def test_a_closed_conversation_takes_no_message(chat: Chat) -> None:
    async with chat.store.begin() as repo:
        await repo.conversations.close(chat.customer, chat.id)
    with pytest.raises(Conflict) as refused:
        await chat.post()
    assert refused.value.code == "conversation_closed"


async def test_while_an_agent_answers_the_bot_is_silent(chat: Chat) -> None:
    async with chat.store.begin() as repo:
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
    posted = await chat.post()
    assert (await chat.kinds())[-2:] == ["turn.started", "turn.stopped"]
    assert (await chat.events())[-1].payload == {"turn_id": posted.turn_id, "reason": "agent"}
    assert await claim(chat.store) is None


async def test_who_waits_for_a_human_is_still_answered(chat: Chat) -> None:
    async with chat.store.begin() as repo:
        await repo.conversations.request_handoff(chat.customer, chat.id)
    posted = await chat.post()
    assert (await claimed(chat.store)).turn_id == posted.turn_id


async def test_a_queued_turn_stops_at_once(chat: Chat) -> None:
    posted = await chat.post()
    assert await _stop(chat, posted.turn_id) == TurnState.STOPPED
    assert await chat.kinds() == ["turn.started", "turn.stopped"]
    assert await claim(chat.store) is None


async def test_the_owner_of_a_running_turn_is_asked_to_stop(chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(chat.store)
    await show(chat.store, held, "It is")
    assert await _stop(chat, posted.turn_id) == TurnState.RUNNING
    async with chat.store.begin() as repo:
        assert await repo.turns.renew_all(held.owner, 10) == {posted.turn_id: True}
        assert await repo.turns.renew(held, 10) is True
        assert await repo.turns.stopped(held) == TurnState.STOPPED
    assert await chat.kinds() == ["turn.started", "turn.stopped"]


async def test_after_the_reply_there_is_nothing_to_stop(chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(chat.store)
    await finish(chat.store, held)
    assert await _stop(chat, posted.turn_id) == TurnState.RUNNING
    async with chat.store.begin() as repo:
        assert await repo.turns.stopped(held) == TurnState.DONE
    assert await chat.kinds() == ["turn.started", "reply.done", "turn.annotated"]
    assert await _stop(chat, posted.turn_id) == TurnState.DONE


async def test_a_failed_turn_is_tried_again(chat: Chat) -> None:
    turn_id = await _fail(chat, "Nobody can answer now.")
    assert await _retry(chat, turn_id) == TurnState.QUEUED
    again = await claimed(chat.store)
    assert (again.turn_id, again.attempt, again.attempts) == (turn_id, 2, 1)
    await answer(chat.store, again)
    started = [event for event in await chat.events() if event.kind == "turn.started"]
    assert len(started) == 2
    assert started[0].payload == started[1].payload
    assert (await chat.kinds())[-2:] == ["reply.done", "turn.annotated"]


async def test_a_stopped_turn_is_tried_again(chat: Chat) -> None:
    posted = await chat.post()
    await _stop(chat, posted.turn_id)
    await _retry(chat, posted.turn_id)
    assert (await claimed(chat.store)).turn_id == posted.turn_id


async def test_a_turn_that_was_asked_to_stop_starts_anew_without_the_wish(chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(chat.store)
    await _stop(chat, posted.turn_id)
    async with chat.store.begin() as repo:
        await repo.turns.stopped(held)
    await _retry(chat, posted.turn_id)
    assert not (await claimed(chat.store)).stop_requested


async def test_only_the_newest_turn_is_tried_again(chat: Chat) -> None:
    turn_id = await _fail(chat)
    await chat.post()
    with pytest.raises(Conflict) as refused:
        await _retry(chat, turn_id)
    assert refused.value.code == "turn_not_retryable"


@pytest.mark.parametrize("state", ["queued", "running", "done", "closed", "agent"])
async def test_what_is_not_tried_again(chat: Chat, state: str) -> None:
    posted = await chat.post()
    if state in ("running", "done"):
        held = await claimed(chat.store)
    if state == "done":
        await answer(chat.store, held)
    async with chat.store.begin() as repo:
        if state == "closed":
            await repo.conversations.close(chat.customer, chat.id)
        if state == "agent":
            await repo.conversations.takeover(AGENT, chat.id, "Ada")
    with pytest.raises(Conflict, match="newest"):
        await _retry(chat, posted.turn_id)


async def test_a_turn_of_another_conversation_is_not_found(store: Store, chat: Chat) -> None:
    other = await open_chat(store)
    posted = await other.post()
    for call in (_stop, _retry):
        with pytest.raises(NotFound):
            await call(chat, posted.turn_id)
    async with store.read() as repo:
        with pytest.raises(NotFound):
            await repo.turns.get(chat.customer, posted.turn_id)
        assert (await repo.turns.get(Server(), posted.turn_id)).id == posted.turn_id
