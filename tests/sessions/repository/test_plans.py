"""What is asked often must not grow with the years: SQLite finds every row of an ordinary day by an index."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event

from sessions import ConversationState, Pin, Role, Staff, Store
from sessions.columns import now
from tests.sessions.shop import AGENT, OPERATOR, Chat, answer, claim, claimed, open_chat, show

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Asked = list[tuple[str, object]]


@asynccontextmanager
async def listening(store: Store) -> AsyncIterator[Asked]:
    """Every statement that is sent meanwhile, with its parameters."""
    asked: Asked = []

    def listen(connection: Connection, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            asked.append((statement, parameters))

    event.listen(store._engine.sync_engine, "before_cursor_execute", listen)
    yield asked
    event.remove(store._engine.sync_engine, "before_cursor_execute", listen)


async def _plan(store: Store, statement: str, parameters: object) -> list[str]:
    async with store._engine.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row.detail for row in plan]


async def test_looking_for_work_reads_only_open_turns(store: Store, chat: Chat) -> None:
    async with listening(store) as asked:
        assert await claim(store) is None
        async with store.begin() as repo:
            await repo.turns.renew_all("web-1", 30)
    of_turns = [(statement, parameters) for statement, parameters in asked if statement.startswith("SELECT")]
    assert len(of_turns) == 3
    for statement, parameters in of_turns:
        plan = await _plan(store, statement, parameters)
        assert any("ix_turn_open" in step for step in plan), plan


async def test_an_ordinary_day_reads_no_whole_table(store: Store, chat: Chat) -> None:
    async with listening(store) as asked:
        await _an_ordinary_day(store, chat)
    assert len(asked) > 50
    for statement, parameters in asked:
        for step in await _plan(store, statement, parameters):
            assert not step.startswith("SCAN") or "INDEX" in step or "CONSTANT ROW" in step, (step, statement)


async def _an_ordinary_day(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        await repo.webhooks.add("demo", "https://shop.example/hook", "whsec_c2VjcmV0")
    of_site = Staff("Ada", AGENT.scopes, frozenset({"demo"}))
    await chat.post()
    held = await claimed(store)
    await chat.history(held)
    await show(store, held, "It is")
    await answer(store, held)
    await chat.post(client_turn_id="again")
    await chat.post(client_turn_id="again")
    other = await open_chat(store)
    async with store.begin() as repo:
        await repo.conversations.by_tokens([chat.token, other.token])
        await repo.conversations.list(chat.customer)
        for staff in (AGENT, of_site):
            for state in (None, ConversationState.WAITING):
                await repo.conversations.list(staff, state=state, after=other.id)
        await repo.conversations.set_pin(chat.id, Pin("r0", "boot"), 0)
        await repo.messages.list(chat.customer, chat.id)
        await repo.messages.details(AGENT, chat.id)
        await repo.messages.votes(chat.customer, chat.id)
        await repo.events.last_seqs([chat.id, other.id])
        await repo.events.listed_since(now() - timedelta(seconds=10))
        await repo.conversations.typing(chat.customer, chat.id, Role.CUSTOMER)
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
        await repo.conversations.close(AGENT, chat.id)
        await repo.conversations.export(chat.customer, chat.id)
    async with store.begin() as repo:
        await repo.webhooks.deliveries(OPERATOR, after=(await repo.outbox.claim(30)).id)
    await store.tidy(timedelta(days=30), audit=timedelta(days=90))
