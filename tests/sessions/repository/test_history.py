from sessions import Role, Store
from tests.sessions.shop import AGENT, NO_LEASE_S, Chat, answer, claimed

Spoken = list[tuple[str, str]]


async def _prompt(chat: Chat) -> tuple[Spoken, Spoken]:
    """Answer the next turn. What the engine was given, and that with what it wrote."""
    held = await claimed(chat.store)
    given = [*await chat.history(held), ("customer", held.prompt_text)]
    await answer(chat.store, held, f"reply to {held.text}")
    return given, [*given, ("assistant", f"json of reply to {held.text}")]


async def _say(chat: Chat, text: str) -> None:
    async with chat.store.begin() as repo:
        await repo.conversations.say(AGENT, chat.id, Role.AGENT, text)


async def test_a_conversation_begins_without_history(store: Store, chat: Chat) -> None:
    await chat.post("one")
    assert await chat.history(await claimed(store)) == []


async def test_every_prompt_begins_with_the_one_before_and_its_reply(chat: Chat) -> None:
    before: Spoken = []
    for n in range(6):
        await chat.post(f"message {n}")
        given, before_next = await _prompt(chat)
        assert given[: len(before)] == before
        before = before_next
    assert [role for role, _ in before] == ["customer", "assistant"] * 6


async def test_messages_that_came_during_a_reply_stand_behind_it(chat: Chat) -> None:
    await chat.post("one")
    await chat.post("two")
    await chat.post("three")
    for expected in (["one"], ["one", "two"], ["one", "two", "three"]):
        given, _ = await _prompt(chat)
        assert [text for role, text in given if role == "customer"] == expected
    assert [role for role, _ in given] == ["customer", "assistant", "customer", "assistant", "customer"]


async def test_agents_lines_and_notes_are_read_and_notices_are_not(chat: Chat) -> None:
    await chat.post("one")
    await _prompt(chat)
    async with chat.store.begin() as repo:
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
    await chat.post("to the human")
    await _say(chat, "I sent a voucher")
    async with chat.store.begin() as repo:
        await repo.conversations.say(AGENT, chat.id, Role.SYSTEM, "Ada has left")
        await repo.conversations.handback(AGENT, chat.id, "voucher sent, be kind")
    await chat.post("thanks")
    given, _ = await _prompt(chat)
    assert given == [
        ("customer", "one"),
        ("assistant", "json of reply to one"),
        ("customer", "to the human"),
        ("agent", "I sent a voucher"),
        ("note", "voucher sent, be kind"),
        ("customer", "thanks"),
    ]


async def test_an_agents_line_during_a_reply_stands_behind_it(chat: Chat) -> None:
    await chat.post("one")
    held = await claimed(chat.store)
    await _say(chat, "I am here as well")
    await chat.post("two")
    assert await chat.history(held) == [], "asked again, the same prompt"
    await answer(chat.store, held, "reply to one")
    given, _ = await _prompt(chat)
    assert [text for _, text in given] == ["one", "json of reply to one", "I am here as well", "two"]


async def test_a_stopped_turn_keeps_its_message_where_no_prompt_is_broken(chat: Chat) -> None:
    await chat.post("one")
    stopped = await chat.post("two, stopped")
    first, _ = await _prompt(chat)
    assert [text for _, text in first] == ["one"]
    async with chat.store.begin() as repo:
        await repo.turns.stop(chat.customer, chat.id, stopped.turn_id)
    await chat.post("three")
    given, _ = await _prompt(chat)
    assert [text for _, text in given] == ["one", "json of reply to one", "two, stopped", "three"]


async def test_a_turn_stopped_during_the_reply_before_it_stands_behind_that_reply(chat: Chat) -> None:
    await chat.post("one")
    stopped = await chat.post("two, stopped")
    held = await claimed(chat.store)
    async with chat.store.begin() as repo:
        await repo.turns.stop(chat.customer, chat.id, stopped.turn_id)
    assert await chat.history(held) == []
    await answer(chat.store, held, "reply to one")
    await chat.post("three")
    given, _ = await _prompt(chat)
    assert [text for _, text in given] == ["one", "json of reply to one", "two, stopped", "three"]


async def test_another_owner_gives_the_same_prompt(store: Store, chat: Chat) -> None:
    await chat.post("one")
    await _prompt(chat)
    await chat.post("two")
    dead = await claimed(store, "web-1", NO_LEASE_S)
    before = await chat.history(dead)
    await _say(chat, "meanwhile")
    await chat.post("three")
    assert await chat.history(await claimed(store, "web-2")) == before


async def test_a_turn_that_is_tried_again_reads_what_was_said_since(store: Store, chat: Chat) -> None:
    posted = await chat.post("one")
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.fail(held, "no_replica", "Nobody can answer.")
    await _say(chat, "Try again, please")
    async with store.begin() as repo:
        await repo.turns.retry(chat.customer, chat.id, posted.turn_id)
    given, _ = await _prompt(chat)
    assert given == [("agent", "Try again, please"), ("customer", "one")]
