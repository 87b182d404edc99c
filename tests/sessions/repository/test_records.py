from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from sessions import Annotation, Conversation, FeedbackValue, NotFound, Pin, Role, Server, Store
from sessions.columns import now
from sessions.models import Base
from tests.sessions.shop import AGENT, Chat, answer, claimed, open_chat, reply, show

OWNED = ("conversation", "message", "turn", "event", "feedback", "rating", "idempotency", "webhook_delivery")


async def _live(chat: Chat) -> None:
    """A conversation that leaves a row in every table that a conversation can leave one in."""
    store = chat.store
    await chat.post("Where is my order 10234?")
    held = await claimed(store)
    async with store.begin() as repo:
        message = await repo.turns.finish_reply(held, reply("On its way."))
        await repo.turns.annotate(held, Annotation(demand="wants the order", prompt_text="json"))
        await repo.conversations.set_pin(chat.id, Pin("r0", "boot-1", 100), 0)
    async with store.begin() as repo:
        await repo.conversations.feedback(chat.customer, message.id, FeedbackValue.UP)
        await repo.conversations.rate(chat.customer, chat.id, 4, "quick")
        await repo.conversations.typing(chat.customer, chat.id, Role.CUSTOMER)
        await repo.idempotency.keep("scope", chat.id, "hash", {"id": chat.id}, conversation_id=chat.id)
        await repo.conversations.takeover(AGENT, chat.id, "Ada")
        await repo.conversations.handback(AGENT, chat.id, "a note")
    await chat.post("and another thing")
    await show(store, await claimed(store), "Let me")


async def _counts(store: Store) -> dict[str, int]:
    async with store.read() as repo:
        return {
            name: await repo.tx.session.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
        }


async def test_deleting_leaves_no_row(store: Store) -> None:
    async with store.begin() as repo:
        await repo.webhooks.add("demo", "https://shop.example/hook", "whsec_c2VjcmV0")
    empty = await _counts(store)
    chat = await open_chat(store)
    await _live(chat)
    filled = await _counts(store)
    assert all(filled[name] > empty[name] for name in OWNED)
    async with store.begin() as repo:
        await repo.conversations.delete(chat.customer, chat.id)
    assert await _counts(store) == empty


async def test_deleting_leaves_the_others(store: Store, chat: Chat) -> None:
    neighbour = await open_chat(store)
    await _live(neighbour)
    async with store.read() as repo:
        before = await repo.conversations.export(Server(), neighbour.id)
    async with store.begin() as repo:
        await repo.conversations.delete(chat.customer, chat.id)
    async with store.read() as repo:
        assert await repo.conversations.export(Server(), neighbour.id) == before
        with pytest.raises(NotFound):
            await repo.conversations.get(chat.customer, chat.id)
        assert await repo.conversations.by_tokens([chat.token]) is None


async def test_nothing_is_deleted_twice(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        await repo.conversations.delete(chat.customer, chat.id)
    with pytest.raises(NotFound):
        async with store.begin() as repo:
            await repo.conversations.delete(chat.customer, chat.id)


async def test_an_export_holds_every_column_of_every_row(store: Store, chat: Chat) -> None:
    await _live(chat)
    async with store.read() as repo:
        export = await repo.conversations.export(chat.customer, chat.id)
        counts = await _counts(store)
    secret = {"conversation": {"token_hash"}, "turn": {"body_hash"}}
    parts = {"message": "messages", "turn": "turns", "event": "events", "feedback": "feedback"}
    rows = {name: export[part] for name, part in parts.items()}
    rows |= {"conversation": [export["conversation"]], "rating": [export["rating"]]}
    for name, exported in rows.items():
        assert len(exported) == counts[name], name
        columns = set(Base.metadata.tables[name].columns.keys())
        assert all(set(row) == columns - secret.get(name, set()) for row in exported), name
    assert [message["content"] for message in export["messages"]] == [
        "Where is my order 10234?",
        "On its way.",
        "a note",
        "and another thing",
    ]
    assert export["turns"][0]["demand"] == "wants the order"


async def test_an_export_gives_no_credential_away(store: Store, chat: Chat) -> None:
    await _live(chat)
    row = await chat.row()
    async with store.read() as repo:
        export = str(await repo.conversations.export(chat.customer, chat.id))
    assert chat.token not in export
    assert row.token_hash not in export


async def _age(chat: Chat, days: int) -> None:
    async with chat.store.begin() as repo:
        await repo.tx.session.execute(
            update(Conversation).where(Conversation.id == chat.id).values(updated_at=now() - timedelta(days=days))
        )


async def test_retention_removes_what_did_not_change(store: Store) -> None:
    old, fresh = await open_chat(store), await open_chat(store)
    for chat in (old, fresh):
        await _live(chat)
    await _age(old, 31)
    await _age(fresh, 29)
    assert await store.tidy(timedelta(days=30)) == 1
    async with store.read() as repo:
        assert [row.id for row in await repo.conversations.list(Server())] == [fresh.id]
    assert await store.tidy(timedelta(days=30)) == 0
    assert await store.tidy(None) == 0


async def test_retention_goes_on_until_nothing_old_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.repository.records._AT_ONCE", 2)
    for _ in range(5):
        await _age(await open_chat(store), 31)
    assert await store.tidy(timedelta(days=30)) == 5


async def test_whoever_speaks_is_kept(store: Store, chat: Chat) -> None:
    await _age(chat, 31)
    await chat.post()
    await answer(store, await claimed(store))
    assert await store.tidy(timedelta(days=30)) == 0


async def test_audit_log_is_kept_for_its_own_time(store: Store) -> None:
    async with store.begin() as repo:
        for days in (8, 6):
            await repo.audit.write("ann@example.com", "session.begun", about=f"{days} days ago")
    async with store.begin() as repo:
        for entry in await repo.audit.list():
            entry.at = now() - timedelta(days=int(entry.about[0]))
    await store.tidy(timedelta(days=1))
    await store.tidy(None, audit=timedelta(days=7))
    async with store.read() as repo:
        assert [entry.about for entry in await repo.audit.list()] == ["6 days ago"]
