"""Persons whom their website has proved: one use of a proof, sessions, whose a conversation is."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from sessions import Conflict, Customer, NotFound, Person, Server, Store
from sessions.columns import now
from sessions.identifiers import digest
from sessions.models import PersonSession
from tests.sessions.shop import Chat, open_chat

ADA = Person("demo", "ada")


async def begin(store: Store, person: Person = ADA) -> str:
    async with store.begin() as repo:
        return await repo.persons.begin(person)


async def whose(store: Store, *tokens: str, unproved: bool = False) -> Customer | None:
    async with store.read() as repo:
        return await repo.conversations.by_tokens(tokens, unproved=unproved)


async def attach(store: Store, chat: Chat, person: Person = ADA) -> None:
    async with store.begin() as repo:
        await repo.persons.attach(chat.customer, chat.id, person)


async def test_a_proof_is_used_once_and_by_its_site_only(store: Store) -> None:
    used = []
    for site, jti in (("demo", "1"), ("demo", "1"), ("other", "1"), ("demo", "2")):
        async with store.begin() as repo:
            used.append(await repo.persons.use_proof(site, jti, now() + timedelta(minutes=5)))
    assert used == [True, False, True, True]


async def test_a_proof_that_came_to_nothing_can_be_used_again(store: Store) -> None:
    used = []

    async def use_for_nothing() -> None:
        async with store.begin() as repo:
            used.append(await repo.persons.use_proof("demo", "1", now()))
            raise NotFound

    for _ in range(2):
        with pytest.raises(NotFound):
            await use_for_nothing()
    assert used == [True, True]


async def test_a_session_opens_all_of_the_persons_conversations_on_the_site(store: Store, chat: Chat) -> None:
    token = await begin(store)
    assert await whose(store, token) == Customer(frozenset(), ADA)
    await attach(store, chat)
    other = await open_chat(store, "other")
    await attach(store, other, Person("other", "ada"))
    assert await whose(store, token) == Customer(frozenset({chat.id}), ADA)


async def test_the_token_of_an_attached_conversation_opens_nothing(store: Store, chat: Chat) -> None:
    assert await whose(store, chat.token) == chat.customer
    await attach(store, chat)
    assert await whose(store, chat.token) is None
    assert await whose(store, chat.token, unproved=True) is None


async def test_a_conversation_is_one_persons(store: Store, chat: Chat) -> None:
    await attach(store, chat)
    await attach(store, chat)
    with pytest.raises(Conflict) as refused:
        await attach(store, chat, Person("demo", "eve"))
    assert refused.value.code == "identity_mismatch"


async def test_a_session_ends(store: Store, chat: Chat) -> None:
    token = await begin(store)
    async with store.begin() as repo:
        await repo.tx.session.execute(update(PersonSession).values(expires_at=now()))
    assert await whose(store, token) is None
    await store.tidy(None)
    async with store.read() as repo:
        assert await repo.tx.session.get(PersonSession, digest(token)) is None


async def test_a_site_can_ask_for_proved_persons_only(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        await repo.sites.update("demo", identity_required=True)
    assert await whose(store, chat.token) is None
    assert await whose(store, chat.token, unproved=True) == chat.customer
    await attach(store, chat)
    assert await whose(store, await begin(store)) == Customer(frozenset({chat.id}), ADA)


async def test_with_the_last_conversation_the_session_goes(store: Store, chat: Chat) -> None:
    await attach(store, chat)
    second = await open_chat(store, "demo")
    await attach(store, second)
    token = await begin(store)
    for gone, left in ((chat, Customer(frozenset({second.id}), ADA)), (second, None)):
        async with store.begin() as repo:
            await repo.conversations.delete(Server(), gone.id)
        assert await whose(store, token) == left


async def test_the_export_says_who_it_is(store: Store, chat: Chat) -> None:
    await attach(store, chat)
    async with store.read() as repo:
        held = (await repo.conversations.export(Server(), chat.id))["conversation"]
    assert held["subject"] == "ada" and "token_hash" not in held
