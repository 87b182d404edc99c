import asyncio

from sessions import Pin, Server, Store
from tests.sessions.shop import Chat, claimed, open_chat


async def _set(store: Store, chat: Chat, pin: Pin | None, version: int) -> bool:
    async with store.begin() as repo:
        return await repo.conversations.set_pin(chat.id, pin, version)


async def test_a_pin_is_kept_with_the_conversation(store: Store, chat: Chat) -> None:
    assert (await chat.row()).pin is None
    assert await _set(store, chat, Pin("r0", "boot-1", 864), 0)
    row = await chat.row()
    assert row.pin == Pin("r0", "boot-1", 864, row.pin_at)
    assert row.pin_version == 1
    await chat.post()
    held = await claimed(store)
    assert (held.pin, held.pin_version) == (row.pin, 1)
    assert row.pin.at <= (await _age_of_claim(store, held.turn_id))


async def _age_of_claim(store: Store, turn_id: str) -> float:
    async with store.read() as repo:
        turn = await repo.turns.get(Server(), turn_id)
    return turn.lease_until


async def test_a_pin_knows_its_prefix_and_why_it_was_moved(store: Store, chat: Chat) -> None:
    moved = Pin("r1", "boot-2", 640, brand="brand", misses=1, moved="moved_drain")
    assert await _set(store, chat, moved, 0)
    pin = (await chat.row()).pin
    assert (pin.brand, pin.misses, pin.moved) == ("brand", 1, "moved_drain")
    assert await _set(store, chat, Pin("r1", "boot-2", 700, brand="brand"), 1)
    pin = (await chat.row()).pin
    assert (pin.misses, pin.moved) == (0, None)


async def test_the_conversations_of_a_replica_come_with_the_last_speaker_first(store: Store) -> None:
    chats = [await open_chat(store) for _ in range(4)]
    for chat, replica in zip(chats, ("r0", "r1", "r0", "r0"), strict=True):
        await _set(store, chat, Pin(replica, "boot"), 0)
    async with store.begin() as repo:
        await repo.conversations.close(chats[2].customer, chats[2].id)
    async with store.read() as repo:
        found = await repo.conversations.pinned_to("r0")
        assert [each.id for each in found] == [chats[3].id, chats[0].id]
        assert len(await repo.conversations.pinned_to("r0", limit=1)) == 1


async def test_a_replica_is_drained_of_one_boot_for_every_process(store: Store, second: Store) -> None:
    for boot in ("boot-1", "boot-2"):
        async with store.begin() as repo:
            await repo.drains.ask("r0", boot)
    async with second.read() as repo:
        assert await repo.drains.asked() == {"r0": "boot-2"}


async def test_a_pin_is_compared_and_set(store: Store, chat: Chat) -> None:
    assert await _set(store, chat, Pin("r0", "boot-1"), 0)
    assert not await _set(store, chat, Pin("r1", "boot-2"), 0)
    assert (await chat.row()).pin.replica == "r0"


async def test_of_many_who_set_a_pin_at_once_one_wins(store: Store, second: Store, chat: Chat) -> None:
    won = await asyncio.gather(*(_set(at, chat, Pin(f"r{n}", "boot"), 0) for n, at in enumerate([store, second] * 4)))
    assert won.count(True) == 1
    assert (await chat.row()).pin.replica == f"r{won.index(True)}"


async def test_a_pin_is_taken_away(store: Store, chat: Chat) -> None:
    await _set(store, chat, Pin("r0", "boot-1"), 0)
    assert await _set(store, chat, None, 1)
    row = await chat.row()
    assert (row.pin, row.pin_at, row.pin_cached_tokens, row.pin_version) == (None, None, 0, 2)


async def test_a_pin_of_a_deleted_conversation_is_not_set(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        await repo.conversations.delete(chat.customer, chat.id)
    assert not await _set(store, chat, Pin("r0", "boot-1"), 0)


async def test_pins_are_counted_by_replica(store: Store) -> None:
    chats = [await open_chat(store) for _ in range(5)]
    for chat, replica in zip(chats, ("r0", "r0", "r1", "r1"), strict=False):
        await _set(store, chat, Pin(replica, "boot"), 0)
    async with store.begin() as repo:
        await repo.conversations.close(chats[0].customer, chats[0].id)
    async with store.read() as repo:
        assert await repo.conversations.pins_by_replica() == {"r0": 1, "r1": 2}
