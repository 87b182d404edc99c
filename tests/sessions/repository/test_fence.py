"""Whoever lost a turn, in whatever way, writes nothing more of it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from sessions import Annotation, Claim, LostLease, NotFound, Repository, Server, Store
from tests.sessions.shop import AGENT, LEASE_S, Chat, answer, claimed, reply, show

Write = Callable[[Repository, Claim], Awaitable[object]]

WRITES: dict[str, Write] = {
    "renew": lambda repo, claim: repo.turns.renew(claim, 10),
    "next_attempt": lambda repo, claim: repo.turns.next_attempt(claim),
    "note_attempt": lambda repo, claim: repo.turns.note_attempt(claim, replica="r0", placement="pinned"),
    "release": lambda repo, claim: repo.turns.release(claim),
    "reset": lambda repo, claim: repo.turns.reset(claim),
    "finish_reply": lambda repo, claim: repo.turns.finish_reply(claim, reply()),
    "annotate": lambda repo, claim: repo.turns.annotate(claim, Annotation()),
    "fail": lambda repo, claim: repo.turns.fail(claim, "no_replica", "Sorry."),
    "stopped": lambda repo, claim: repo.turns.stopped(claim),
}

Lose = Callable[[Store, Chat, Claim], Awaitable[Claim]]


async def _another_owner(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.turns.renew(held, -1)
    await claimed(store, "web-2")
    return held


async def _the_same_owner_again(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.turns.renew(held, -1)
    await claimed(store, held.owner)
    return held


async def _a_later_attempt(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.turns.next_attempt(held)
    return held


async def _another_owners_name(store: Store, chat: Chat, held: Claim) -> Claim:
    return replace(held, owner="web-2")


async def _given_back(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.turns.release(held)
    return held


async def _answered(store: Store, chat: Chat, held: Claim) -> Claim:
    await answer(store, held)
    return held


async def _failed_and_tried_again(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.turns.fail(held, "no_replica")
        await repo.turns.retry(chat.customer, chat.id, held.turn_id)
    await claimed(store, held.owner, LEASE_S)
    return held


async def _closed(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.conversations.close(chat.customer, chat.id)
    return held


async def _taken_over(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
    return held


async def _deleted(store: Store, chat: Chat, held: Claim) -> Claim:
    async with store.begin() as repo:
        await repo.conversations.delete(chat.customer, chat.id)
    return held


LOSSES: list[Lose] = [
    _another_owner,
    _the_same_owner_again,
    _a_later_attempt,
    _another_owners_name,
    _given_back,
    _answered,
    _failed_and_tried_again,
    _closed,
    _taken_over,
    _deleted,
]


async def _held(store: Store, chat: Chat) -> object:
    """All that is held of the conversation; None when that is nothing."""
    async with store.read() as repo:
        try:
            return await repo.conversations.export(Server(), chat.id)
        except NotFound:
            return None


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__.strip("_"))
async def test_whoever_lost_a_turn_writes_nothing(store: Store, chat: Chat, lose: Lose) -> None:
    await chat.post()
    lost = await lose(store, chat, await claimed(store, "web-1"))
    before = await _held(store, chat)
    for name, write in WRITES.items():
        with pytest.raises(LostLease):
            await _write(store, lost, write)
        assert await _held(store, chat) == before, name
    (refused,) = await show(store, lost, "too late")
    assert (refused.turn_id, refused.text) == (lost.turn_id, "too late")
    assert await _held(store, chat) == before


async def _write(store: Store, claim: Claim, write: Write) -> None:
    async with store.begin() as repo:
        await write(repo, claim)
