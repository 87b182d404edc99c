import hashlib

import pytest

from sessions import ConversationState, Customer, NotFound, Scope, Server, Staff, Store
from tests.sessions.shop import AGENT, Chat, open_chat


async def test_a_conversation_begins_with_the_bot(store: Store) -> None:
    async with store.begin() as repo:
        conversation, token = await repo.conversations.open("demo", "en", "demo-shop", "v1")
    assert (conversation.site_key, conversation.locale, conversation.state) == ("demo", "en", ConversationState.BOT)
    assert (conversation.pack, conversation.pack_version, conversation.last_seq) == ("demo-shop", "v1", 0)
    assert conversation.id.startswith("cnv_")
    assert token.startswith("pdc_")


async def test_only_the_hash_of_the_token_is_kept(store: Store, chat: Chat) -> None:
    row = await chat.row()
    assert row.token_hash == hashlib.sha256(chat.token.encode()).hexdigest()
    assert chat.token not in str(row.model_dump())


async def test_a_token_that_the_caller_can_derive_again(store: Store) -> None:
    async with store.begin() as repo:
        _, token = await repo.conversations.open("demo", "en", "demo-shop", "v1", token="ab" * 32)
    assert token == "pdc_" + "ab" * 32


@pytest.mark.parametrize("site", ["unknown", "disabled"])
async def test_no_conversation_begins_on_such_a_site(store: Store, site: str) -> None:
    async with store.begin() as repo:
        await repo.sites.update("other", enabled=False)
    with pytest.raises(NotFound):
        await open_chat(store, {"unknown": "nowhere", "disabled": "other"}[site])


async def test_tokens_name_their_customer(store: Store, chat: Chat) -> None:
    another = await open_chat(store, "other")
    async with store.read() as repo:
        assert await repo.conversations.by_tokens([chat.token]) == Customer(frozenset({chat.id}))
        both = await repo.conversations.by_tokens([chat.token, "pdc_unknown", another.token])
        assert both == Customer(frozenset({chat.id, another.id}))
        assert await repo.conversations.by_tokens(["pdc_unknown", chat.id]) is None
        assert await repo.conversations.by_tokens([]) is None


async def test_lists_are_newest_first_and_read_on(store: Store) -> None:
    ids = [(await open_chat(store, site)).id for site in ("demo", "other", "demo", "other", "demo")]
    newest_first, seen, after = ids[::-1], [], None
    async with store.read() as repo:
        while page := await repo.conversations.list(AGENT, limit=2, after=after):
            seen += [conversation.id for conversation in page]
            after = seen[-1]
    assert seen == newest_first


async def test_a_list_by_state(store: Store, chat: Chat) -> None:
    await open_chat(store)
    async with store.begin() as repo:
        await repo.conversations.request_handoff(chat.customer, chat.id)
    async with store.read() as repo:
        waiting = await repo.conversations.list(AGENT, state=ConversationState.WAITING)
    assert [conversation.id for conversation in waiting] == [chat.id]


@pytest.mark.parametrize(
    ("principal", "seen"),
    [
        (Server(), {"demo", "other"}),
        (Staff("everywhere", frozenset({Scope.AGENT}), None), {"demo", "other"}),
        (Staff("demo only", frozenset({Scope.AGENT}), frozenset({"demo"})), {"demo"}),
        (Staff("nowhere", frozenset({Scope.AGENT}), frozenset()), set()),
        (Staff("operator", frozenset({Scope.OPERATOR}), None), set()),
        (Staff("program", frozenset({Scope.INFERENCE}), None), set()),
        (Customer(frozenset()), set()),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__) if not isinstance(value, set) else "",
)
async def test_a_list_holds_what_its_principal_sees(
    store: Store, principal: Server | Staff | Customer, seen: set[str]
) -> None:
    for site in ("demo", "other"):
        await open_chat(store, site)
    async with store.read() as repo:
        listed = await repo.conversations.list(principal)
    assert {conversation.site_key for conversation in listed} == seen


async def test_a_list_is_not_read_on_behind_somebody_elses_conversation(store: Store, chat: Chat) -> None:
    other = await open_chat(store)
    async with store.read() as repo:
        with pytest.raises(NotFound):
            await repo.conversations.list(chat.customer, after=other.id)
