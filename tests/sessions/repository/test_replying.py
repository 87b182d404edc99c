import pytest
from sqlalchemy.exc import IntegrityError

from sessions import (
    Action,
    Annotation,
    ConversationState,
    Delta,
    LostLease,
    Message,
    Reply,
    Role,
    Sentiment,
    Server,
    Store,
    TurnState,
)
from tests.sessions.shop import Chat, answer, claimed, finish, open_chat, reply, show

WHOLE = Reply(
    text="Your order 10234 is on its way.",
    prompt_text='{"action":"reply"',
    action=Action.REPLY,
    template="track_order",
    slots={"order_id": {"value": "10234", "source": "copied"}, "eta": {"value": None, "source": "fact"}},
    quick_replies=["Change the address", "Cancel it"],
    lookup={"name": "order_status", "outcome": "found"},
    ttfv_ms=120.5,
    total_ms=400.0,
)


async def test_text_is_shown_as_it_comes(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    for text in ("Your order ", "10234"):
        assert await show(store, held, text) == []
    deltas = [event for event in await chat.events(staff=False) if event.kind == "reply.delta"]
    assert [event.payload for event in deltas] == [
        {"turn_id": posted.turn_id, "attempt": 1, "text": "Your order "},
        {"turn_id": posted.turn_id, "attempt": 1, "text": "10234"},
    ]
    assert [event.seq for event in deltas] == [2, 3]


async def test_one_flush_shows_the_text_of_many_replies_and_refuses_the_lost_ones(store: Store) -> None:
    chats = [await open_chat(store) for _ in range(4)]
    for chat in chats:
        await chat.post()
    held = [await claimed(store) for _ in chats]
    async with store.begin() as repo:
        await repo.conversations.delete(Server(), held[1].conversation_id)
        await repo.turns.next_attempt(held[2])
    flush = [Delta(claim.conversation_id, claim.turn_id, claim.attempt, claim.owner, "text") for claim in held]
    async with store.begin() as repo:
        assert await repo.turns.append_deltas(flush) == [flush[1], flush[2]]
    for chat in chats:
        shown = held[1].conversation_id != chat.id and "reply.delta" in await chat.kinds()
        assert shown == (chat.id in (held[0].conversation_id, held[3].conversation_id))


async def test_nothing_is_shown_behind_a_reply_that_is_done(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    await finish(store, held)
    assert len(await show(store, held, "one more thing")) == 1
    assert await chat.kinds() == ["turn.started", "reply.done"]


async def test_a_reset_forgets_what_was_shown(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    await show(store, held, "It was")
    async with store.begin() as repo:
        held = await repo.turns.next_attempt(held)
        await repo.turns.reset(held)
    await show(store, held, "It is")
    events = await chat.events(staff=False)
    assert [event.kind for event in events] == ["turn.started", "reply.reset", "reply.delta"]
    assert events[1].payload == {"turn_id": posted.turn_id, "attempt": 2}
    assert [event.seq for event in events] == [1, 3, 4]


async def test_a_reply_is_done(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    await show(store, held, "Your order")
    async with store.begin() as repo:
        message = await repo.turns.finish_reply(held, WHOLE)
    started, done = await chat.events()
    assert (started.kind, done.kind) == ("turn.started", "reply.done"), "the passing text is gone"
    assert done.payload == {"turn_id": posted.turn_id, "message": message.wire()}
    assert (message.seq, message.role, message.content) == (done.seq, Role.ASSISTANT, WHOLE.text)
    assert message.wire()["quick_replies"] == WHOLE.quick_replies
    turn = await chat.turn(posted.turn_id)
    assert (turn.state, turn.reply_message_id) == (TurnState.RUNNING, message.id)
    assert (turn.action, turn.template, turn.slots, turn.lookup) == ("reply", "track_order", WHOLE.slots, WHOLE.lookup)
    assert list(turn.slots) == ["order_id", "eta"], "in the order in which the engine wrote them"
    assert (turn.ttfv_ms, turn.total_ms) == (120.5, 400.0)


async def test_a_reply_is_done_once(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    await finish(store, held)
    with pytest.raises(LostLease):
        await finish(store, held)
    assert await chat.kinds() == ["turn.started", "reply.done"]


async def test_the_database_itself_holds_a_turn_to_one_reply(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    await finish(store, held)
    second = Message(
        id="msg_2", conversation_id=chat.id, seq=99, turn_id=posted.turn_id, role=Role.ASSISTANT, content="again"
    )
    with pytest.raises(IntegrityError):
        async with store.begin() as repo:
            repo.tx.session.add(second)


async def test_an_annotation_ends_the_turn_and_tells_only_the_staff(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    annotation = Annotation(
        demand="wants to know where order 10234 is",
        sentiment=Sentiment.NEGATIVE,
        action_reason="answered",
        prompt_text='{"action":"reply","whole":true}',
        prompt_tokens=900,
        cached_tokens=864,
        completion_tokens=40,
        total_ms=450.0,
    )
    async with store.begin() as repo:
        await repo.turns.note_attempt(held, replica="r0", placement="pinned")
        message = await repo.turns.finish_reply(held, WHOLE)
        await repo.turns.annotate(held, annotation)
    event = (await chat.events())[-1]
    assert event.payload == {
        "turn_id": posted.turn_id,
        "message_id": message.id,
        "action": "reply",
        "template": "track_order",
        "demand": annotation.demand,
        "sentiment": "negative",
        "action_reason": "answered",
        "usage": {"prompt_tokens": 900, "cached_tokens": 864, "completion_tokens": 40},
        "replica": "r0",
        "placement": "pinned",
        "attempts": 1,
        "ttfv_ms": 120.5,
        "total_ms": 450.0,
    }
    assert [event.kind for event in await chat.events(staff=False)] == ["turn.started", "reply.done"]
    row, turn = await chat.row(), await chat.turn(posted.turn_id)
    assert (row.demand, row.sentiment) == (annotation.demand, "negative")
    assert (turn.state, turn.lease_until) == (TurnState.DONE, None)
    assert turn.finished_at is not None
    async with store.read() as repo:
        _, replied = await repo.messages.list(Server(), chat.id)
    assert replied.prompt_text == annotation.prompt_text


async def test_an_annotation_that_was_cut_leaves_the_reply_and_the_earlier_demand(store: Store, chat: Chat) -> None:
    await chat.post()
    await answer(store, await claimed(store))
    posted = await chat.post()
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.finish_reply(held, reply("Done."))
        await repo.turns.annotate(held, Annotation())
    event = (await chat.events())[-1]
    assert (event.kind, event.payload["demand"]) == ("turn.annotated", None)
    assert (await chat.row()).demand == "wants the order"
    async with store.read() as repo:
        messages = await repo.messages.list(Server(), chat.id)
    assert messages[-1].prompt_text == "json of Done."
    assert (await chat.turn(posted.turn_id)).state == TurnState.DONE


async def test_what_is_not_replied_is_not_annotated(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    with pytest.raises(LostLease):
        async with store.begin() as repo:
            await repo.turns.annotate(held, Annotation(demand="nothing yet"))


async def test_a_reply_that_hands_off_leaves_the_conversation_waiting(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.finish_reply(held, reply("A colleague will answer.", Action.HANDOFF))
    assert await chat.kinds() == ["turn.started", "reply.done", "handoff"]
    assert (await chat.events())[-1].payload == {"state": "waiting"}
    assert (await chat.row()).state == ConversationState.WAITING


async def test_a_second_handoff_is_not_announced(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        await repo.conversations.request_handoff(chat.customer, chat.id)
    await chat.post()
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.finish_reply(held, reply("A colleague will answer.", Action.HANDOFF))
    assert await chat.kinds() == ["handoff", "turn.started", "reply.done"]


async def test_a_failure_says_so_in_the_given_words(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    await show(store, held, "Your or")
    async with store.begin() as repo:
        assert await repo.turns.fail(held, "no_replica", "Nobody can answer now.", ["Talk to a human"]) == "failed"
    started, failed, notice = await chat.events()
    assert (failed.kind, failed.payload) == ("turn.failed", {"turn_id": posted.turn_id, "code": "no_replica"})
    assert (notice.kind, notice.payload["message"]["role"]) == ("message", "system")
    assert notice.payload["message"]["content"] == "Nobody can answer now."
    assert notice.payload["message"]["quick_replies"] == ["Talk to a human"]
    turn = await chat.turn(posted.turn_id)
    assert (turn.state, turn.error_code) == (TurnState.FAILED, "no_replica")
    assert started.seq < failed.seq < notice.seq


async def test_a_failure_can_be_silent(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.fail(held, "internal_error")
    assert await chat.kinds() == ["turn.started", "turn.failed"]


async def test_a_failure_after_the_reply_leaves_the_reply(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    await finish(store, held)
    async with store.begin() as repo:
        assert await repo.turns.fail(held, "engine_aborted", "Sorry.") == TurnState.DONE
    assert await chat.kinds() == ["turn.started", "reply.done", "turn.annotated"]
    assert (await chat.turn(posted.turn_id)).error_code is None


async def test_text_with_nul_is_stored_alike_everywhere(store: Store, chat: Chat) -> None:
    await chat.post("nul \x00 in the middle")
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.finish_reply(held, reply("back \x00 again"))
    events = await chat.events(staff=False)
    async with store.read() as repo:
        messages = await repo.messages.list(chat.customer, chat.id)
    assert [message.content for message in messages] == ["nul \ufffd in the middle", "back \ufffd again"]
    assert [event.payload["message"] for event in events] == [message.wire() for message in messages]
