"""Deliveries to programs are written with the events that they tell of, and claimed by one sender at a time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sessions import (
    Action,
    Annotation,
    Claim,
    Conflict,
    DeliveryState,
    Due,
    NotFound,
    Scope,
    Server,
    Staff,
    Store,
    WebhookDelivery,
    WebhookKind,
)
from sessions.columns import now
from tests.sessions.shop import AGENT, LEASE_S, NO_LEASE_S, OPERATOR, Chat, claimed, finish, open_chat, reply

SECRET = "whsec_c2VjcmV0"


async def endpoint(store: Store, site: str = "demo", kinds: list[WebhookKind] | None = None) -> str:
    async with store.begin() as repo:
        return (await repo.webhooks.add(site, f"https://{site}.example/hook", SECRET, kinds=kinds)).id


async def logged(store: Store, **which: object) -> list[WebhookDelivery]:
    """Oldest first."""
    async with store.read() as repo:
        return [each.delivery for each in await repo.webhooks.deliveries(Server(), **which)][::-1]


async def take(store: Store, lease_s: float = LEASE_S, exclude: tuple[str, ...] = ()) -> Due | None:
    async with store.begin() as repo:
        return await repo.outbox.claim(lease_s, exclude)


async def test_every_kind_of_event_is_told_once(store: Store) -> None:
    await endpoint(store)
    chat = await open_chat(store)
    posted = await chat.post("Get me a person.")
    async with store.begin() as repo:
        held = await repo.turns.claim("web-1", LEASE_S)
        message = await repo.turns.finish_reply(held, reply("Here is one.", Action.HANDOFF))
    async with store.begin() as repo:
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
    async with store.begin() as repo:
        await repo.conversations.rate(chat.customer, chat.id, 5, "good")
        await repo.conversations.close(AGENT, chat.id)
    told = {(each.kind, each.data.get("state")): each for each in await logged(store)}
    assert told.keys() == {
        ("conversation.opened", None),
        ("reply.done", None),
        ("conversation.handed_over", "waiting"),
        ("conversation.handed_over", "agent"),
        ("conversation.rated", None),
        ("conversation.closed", None),
    }
    assert all(each.data["conversation_id"] == chat.id and each.data["site"] == "demo" for each in told.values())
    done = told["reply.done", None].data
    assert (done["turn_id"], done["message"]) == (posted.turn_id, message.wire())
    assert (
        told["conversation.rated", None].data | {"score": 5, "comment": "good"} == told["conversation.rated", None].data
    )
    assert len({each.id for each in told.values()}) == 6


async def test_what_is_rolled_back_is_told_to_nobody(store: Store, chat: Chat) -> None:
    await endpoint(store)
    with pytest.raises(NotFound):
        await _closed_both(store, chat.id, "cnv_none")
    assert await logged(store) == []
    assert not store.posted.is_set()
    async with store.begin() as repo:
        await repo.conversations.close(AGENT, chat.id)
    assert [each.kind for each in await logged(store)] == ["conversation.closed"]
    assert store.posted.is_set()


async def _closed_both(store: Store, *ids: str) -> None:
    async with store.begin() as repo:
        for conversation_id in ids:
            await repo.conversations.close(AGENT, conversation_id)


async def test_an_endpoint_hears_of_its_site_and_of_what_it_asked_for(store: Store) -> None:
    everything = await endpoint(store)
    some = await endpoint(store, kinds=[WebhookKind.CONVERSATION_CLOSED])
    other = await endpoint(store, "other")
    off = await endpoint(store)
    async with store.begin() as repo:
        await repo.webhooks.disable(off, "by hand")
    chat = await open_chat(store)
    async with store.begin() as repo:
        await repo.conversations.close(AGENT, chat.id)
    assert [each.kind for each in await logged(store, endpoint_id=everything)] == [
        "conversation.opened",
        "conversation.closed",
    ]
    assert [each.kind for each in await logged(store, endpoint_id=some)] == ["conversation.closed"]
    assert await logged(store, endpoint_id=other) == await logged(store, endpoint_id=off) == []


async def test_of_many_senders_one_gets_a_delivery(store: Store, second: Store) -> None:
    await endpoint(store)
    for _ in range(3):
        await open_chat(store)
    claims = await asyncio.gather(*(take(each) for each in (store, second) * 5), return_exceptions=True)
    taken = [each.id for each in claims if isinstance(each, Due)]
    assert len(taken) == len(set(taken)) == 3
    async with second.read() as repo:
        assert not await repo.outbox.is_due()


async def test_a_dead_senders_delivery_is_taken_over_and_its_word_no_longer_counts(store: Store, chat: Chat) -> None:
    await endpoint(store)
    await finish(store, await _replying(chat))
    dead = await take(store, NO_LEASE_S)
    alive = await take(store)
    assert (alive.id, alive.tries) == (dead.id, 2)
    async with store.begin() as repo:
        assert not await repo.outbox.delivered(dead, 200)
        assert await repo.outbox.delivered(alive, 204)
    row = (await logged(store))[0]
    assert (row.state, row.status, row.finished_at is not None) == (DeliveryState.DELIVERED, 204, True)


async def _replying(chat: Chat) -> Claim:
    await chat.post()
    return await claimed(chat.store)


async def test_a_try_that_failed_is_due_again_after_its_delay(store: Store) -> None:
    await endpoint(store)
    await open_chat(store)
    due = await take(store)
    async with store.begin() as repo:
        assert await repo.outbox.retry(due, 60, status=500, error="answered 500")
    assert await take(store) is None
    async with store.begin() as repo:
        await repo.webhooks.redeliver(Server(), due.id)
    again = await take(store)
    assert (again.id, again.tries) == (due.id, 1)
    assert again.attempt > due.attempt
    async with store.begin() as repo:
        await repo.outbox.retry(again, -1, status=None, error="timeout")
    assert (await take(store)).tries == 2


async def test_an_endpoint_that_is_busy_is_left_out(store: Store) -> None:
    busy, free = await endpoint(store), await endpoint(store)
    await open_chat(store)
    assert (await take(store, exclude=(busy,))).endpoint_id == free
    assert await take(store, exclude=(busy,)) is None


async def test_a_disabled_endpoint_lets_its_deliveries_die_and_takes_none_again(store: Store) -> None:
    one = await endpoint(store)
    await open_chat(store)
    await open_chat(store)
    due = await take(store)
    async with store.begin() as repo:
        await repo.outbox.give_up(due, status=410, error="answered 410")
        await repo.webhooks.disable(one, "answered 410")
    assert [each.state for each in await logged(store)] == [DeliveryState.DEAD] * 2
    await open_chat(store)
    assert len(await logged(store)) == 2
    with pytest.raises(Conflict):
        async with store.begin() as repo:
            await repo.webhooks.redeliver(Server(), due.id)
    async with store.begin() as repo:
        await repo.webhooks.update(one, disabled=None)
    async with store.begin() as repo:
        await repo.webhooks.redeliver(Server(), due.id)
    assert (await take(store)).id == due.id


async def test_the_claim_knows_the_slots_of_every_reply(store: Store) -> None:
    await endpoint(store, kinds=[WebhookKind.CONVERSATION_CLOSED])
    chat = await open_chat(store)
    slots = {"name": {"value": "Ada", "source": "copied"}}
    for filled in (slots, {}):
        held = await _replying(chat)
        async with store.begin() as repo:
            await repo.turns.finish_reply(held, replace(reply(), slots=filled))
            await repo.turns.annotate(held, Annotation())
    async with store.begin() as repo:
        await repo.conversations.close(AGENT, chat.id)
    assert (await take(store)).slots == (slots,)


@pytest.mark.parametrize(
    ("caller", "sees"),
    [
        (OPERATOR, True),
        (Staff("Eve", frozenset({Scope.OPERATOR}), frozenset({"demo"})), True),
        (Staff("Eve", frozenset({Scope.OPERATOR}), frozenset({"other"})), False),
        (AGENT, False),
    ],
)
async def test_the_log_is_for_operators_of_the_site(store: Store, caller: Staff, sees: bool) -> None:
    await endpoint(store)
    chat = await open_chat(store)
    (row,) = await logged(store)
    for principal, expected in ((caller, sees), (chat.customer, False)):
        async with store.begin() as repo:
            assert len(await repo.webhooks.deliveries(principal)) == expected
            if not expected:
                with pytest.raises(NotFound):
                    await repo.webhooks.redeliver(principal, row.id)


async def test_the_log_goes_page_by_page_and_goes_with_time(store: Store) -> None:
    await endpoint(store)
    for _ in range(3):
        await open_chat(store)
    rows = await logged(store)
    assert [each.id for each in await logged(store, after=rows[1].id)] == [rows[0].id]
    async with store.begin() as repo:
        await repo.outbox.delivered(await repo.outbox.claim(LEASE_S), 200)
        await repo.webhooks.expire(now() + timedelta(seconds=1))
    assert [each.state for each in await logged(store)] == [DeliveryState.PENDING] * 2
