"""Another site's or another customer's row does not exist: every call, every principal."""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from sessions import (
    ConversationState,
    Customer,
    FeedbackValue,
    NotFound,
    Person,
    Principal,
    Repository,
    Role,
    Scope,
    Server,
    Staff,
    Store,
)
from sessions.repository.conversations import Conversations
from sessions.repository.events import Events
from sessions.repository.messages import Messages
from sessions.repository.persons import Persons
from sessions.repository.turns import Turns
from tests.sessions.shop import Chat, answer, claimed, open_chat


@dataclass(frozen=True)
class There:
    """What the call is aimed at: a conversation of the site `demo` with a reply in it."""

    conversation_id: str
    turn_id: str
    message_id: str


Call = Callable[[Repository, Principal, There], Awaitable[object]]

CALLS: dict[str, Call] = {
    "conversations.get": lambda repo, who, at: repo.conversations.get(who, at.conversation_id),
    "conversations.request_handoff": lambda repo, who, at: repo.conversations.request_handoff(who, at.conversation_id),
    "conversations.offer_handoff": lambda repo, who, at: repo.conversations.offer_handoff(
        who, at.conversation_id, "?", []
    ),
    "conversations.leave": lambda repo, who, at: repo.conversations.leave(
        who, at.conversation_id, "text", "text", None
    ),
    "conversations.await_message": lambda repo, who, at: repo.conversations.await_message(who, at.conversation_id),
    "conversations.message_left": lambda repo, who, at: repo.conversations.message_left(who, at.conversation_id, "me"),
    "conversations.takeover": lambda repo, who, at: repo.conversations.takeover(who, at.conversation_id, "Eve"),
    "conversations.handback": lambda repo, who, at: repo.conversations.handback(who, at.conversation_id, "note"),
    "conversations.close": lambda repo, who, at: repo.conversations.close(who, at.conversation_id),
    "conversations.say": lambda repo, who, at: repo.conversations.say(who, at.conversation_id, Role.AGENT, "Eve here"),
    "conversations.typing": lambda repo, who, at: repo.conversations.typing(who, at.conversation_id, Role.AGENT),
    "conversations.rate": lambda repo, who, at: repo.conversations.rate(who, at.conversation_id, 1),
    "conversations.rating": lambda repo, who, at: repo.conversations.rating(who, at.conversation_id),
    "conversations.feedback": lambda repo, who, at: repo.conversations.feedback(who, at.message_id, FeedbackValue.DOWN),
    "conversations.export": lambda repo, who, at: repo.conversations.export(who, at.conversation_id),
    "conversations.delete": lambda repo, who, at: repo.conversations.delete(who, at.conversation_id),
    "persons.attach": lambda repo, who, at: repo.persons.attach(who, at.conversation_id, Person("demo", "ada")),
    "turns.accept": lambda repo, who, at: repo.turns.accept(who, at.conversation_id, "c", "text", "text", "hash"),
    "turns.said": lambda repo, who, at: repo.turns.said(who, at.conversation_id),
    "turns.stop": lambda repo, who, at: repo.turns.stop(who, at.conversation_id, at.turn_id),
    "turns.retry": lambda repo, who, at: repo.turns.retry(who, at.conversation_id, at.turn_id),
    "turns.get": lambda repo, who, at: repo.turns.get(who, at.turn_id),
    "messages.list": lambda repo, who, at: repo.messages.list(who, at.conversation_id),
    "messages.details": lambda repo, who, at: repo.messages.details(who, at.conversation_id),
    "messages.votes": lambda repo, who, at: repo.messages.votes(who, at.conversation_id),
    "events.list": lambda repo, who, at: repo.events.list(who, at.conversation_id),
    "events.page": lambda repo, who, at: repo.events.page(who, at.conversation_id, after=0, limit=10),
}

LISTS = {"conversations.list", "events.listed_at"}
"""Calls that leave out what their principal does not see; test_opening and test_feed try them."""

STRANGERS = {
    "another customer": Customer(frozenset({"cnv_of_somebody_else"})),
    "a customer without conversations": Customer(frozenset()),
    "another person": Customer(frozenset(), Person("demo", "eve")),
    "an agent of another site": Staff("Eve", frozenset({Scope.AGENT}), frozenset({"other"})),
    "an agent without sites": Staff("Eve", frozenset({Scope.AGENT}), frozenset()),
    "an operator": Staff("Eve", frozenset({Scope.OPERATOR}), None),
    "a program": Staff("Eve", frozenset({Scope.INFERENCE}), None),
}

INSIDERS = {
    "the server": Server(),
    "an agent of every site": Staff("Ada", frozenset({Scope.AGENT}), None),
    "an agent of the site": Staff("Ada", frozenset({Scope.AGENT, Scope.OPERATOR}), frozenset({"demo", "other"})),
}


@pytest.fixture
async def there(store: Store, chat: Chat) -> There:
    posted = await chat.post()
    await answer(store, await claimed(store))
    turn = await chat.turn(posted.turn_id)
    return There(chat.id, posted.turn_id, str(turn.reply_message_id))


def test_every_call_that_takes_a_principal_is_tried() -> None:
    parts = {"conversations": Conversations, "turns": Turns, "messages": Messages, "events": Events}
    parts |= {"persons": Persons}
    taking = {
        f"{part}.{name}"
        for part, kind in parts.items()
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and "principal" in inspect.signature(method).parameters
    }
    assert taking == CALLS.keys() | LISTS


async def _refused(store: Store, call: Call, principal: Principal, at: There) -> bool:
    """Whether the call found nothing; what it does is undone."""
    with suppress(_Undo):
        async with store.begin() as repo:
            try:
                await call(repo, principal, at)
            except NotFound:
                return True
            raise _Undo
    return False


class _Undo(Exception):
    """Rolls a transaction back."""


@pytest.mark.parametrize("who", STRANGERS)
async def test_strangers_find_nothing_and_change_nothing(store: Store, chat: Chat, there: There, who: str) -> None:
    await open_chat(store, "other")
    async with store.read() as repo:
        before = await repo.conversations.export(Server(), chat.id)
    for name, call in CALLS.items():
        assert await _refused(store, call, STRANGERS[who], there), name
    async with store.read() as repo:
        assert await repo.conversations.export(Server(), chat.id) == before


@pytest.mark.parametrize("who", INSIDERS)
async def test_insiders_are_let_in(store: Store, there: There, who: str) -> None:
    for name in CALLS.keys() - {"turns.retry", "conversations.handback"}:
        assert not await _refused(store, CALLS[name], INSIDERS[who], there), name


@pytest.mark.parametrize("unknown", ["unknown", "with \x00 in it", ""])
async def test_what_does_not_exist_is_not_found(store: Store, there: There, unknown: str) -> None:
    for name, call in CALLS.items():
        assert await _refused(store, call, Server(), There(unknown, unknown, unknown)), name


async def test_a_turn_is_only_found_in_its_own_conversation(store: Store, chat: Chat, there: There) -> None:
    mine = await open_chat(store)
    for name in ("turns.stop", "turns.retry"):
        assert await _refused(store, CALLS[name], mine.customer, There(mine.id, there.turn_id, there.message_id)), name
    assert (await chat.row()).state == ConversationState.BOT
