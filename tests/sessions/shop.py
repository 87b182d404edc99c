"""A shop with a few people: the ordinary course of a conversation in one call each."""

from dataclasses import dataclass
from itertools import count

from sessions import (
    Accepted,
    Action,
    Annotation,
    Claim,
    Conversation,
    Customer,
    Delta,
    Event,
    Reply,
    Scope,
    Sentiment,
    Server,
    Staff,
    Store,
    Turn,
)

LEASE_S = 30.0
NO_LEASE_S = -1.0
"""A lease that is over as soon as it is given, as after the owner's death."""

AGENT = Staff("Ada", frozenset({Scope.AGENT}), sites=None)
OPERATOR = Staff("Eve", frozenset({Scope.OPERATOR}), sites=None)
OTHER_AGENT = Staff("Bob", frozenset({Scope.AGENT}), sites=None)

_numbers = count(1)


@dataclass
class Chat:
    """One conversation and its customer."""

    store: Store
    id: str
    token: str

    @property
    def customer(self) -> Customer:
        return Customer(frozenset({self.id}))

    async def post(self, text: str = "Where is my order 10234?", client_turn_id: str | None = None) -> Accepted:
        async with self.store.begin() as repo:
            return await repo.turns.accept(
                self.customer, self.id, client_turn_id or f"c{next(_numbers)}", text, text, f"hash of {text}"
            )

    async def row(self) -> Conversation:
        async with self.store.read() as repo:
            return await repo.conversations.get(Server(), self.id)

    async def turn(self, turn_id: str) -> Turn:
        async with self.store.read() as repo:
            return await repo.turns.get(Server(), turn_id)

    async def events(self, *, staff: bool = True) -> list[Event]:
        async with self.store.read() as repo:
            return list(await repo.events.list(Server() if staff else self.customer, self.id, limit=1000))

    async def kinds(self) -> list[str]:
        return [event.kind for event in await self.events()]

    async def history(self, claim: Claim) -> list[tuple[str, str]]:
        async with self.store.read() as repo:
            return [(item.role.value, item.text) for item in await repo.turns.history(claim)]


async def open_chat(store: Store, site: str = "demo") -> Chat:
    async with store.begin() as repo:
        conversation, token = await repo.conversations.open(site, "en", "demo-shop", "v1")
    return Chat(store, conversation.id, token)


async def claim(store: Store, owner: str = "web-1", lease_s: float = LEASE_S) -> Claim | None:
    async with store.begin() as repo:
        return await repo.turns.claim(owner, lease_s)


async def claimed(store: Store, owner: str = "web-1", lease_s: float = LEASE_S) -> Claim:
    """A claim that there has to be."""
    found = await claim(store, owner, lease_s)
    assert found is not None
    return found


async def show(store: Store, claim: Claim, text: str) -> list[Delta]:
    """Show text of a running reply; returns what was refused."""
    delta = Delta(claim.conversation_id, claim.turn_id, claim.attempt, claim.owner, text)
    async with store.begin() as repo:
        return await repo.turns.append_deltas([delta])


def reply(text: str = "It is on its way.", action: Action = Action.REPLY) -> Reply:
    return Reply(text=text, prompt_text=f"json of {text}", action=action, template="track_order")


async def finish(store: Store, claim: Claim, text: str = "It is on its way.") -> None:
    """The customer's reply, not yet annotated."""
    async with store.begin() as repo:
        await repo.turns.finish_reply(claim, reply(text))


async def answer(store: Store, claim: Claim, text: str = "It is on its way.") -> None:
    """The whole reply, annotated."""
    async with store.begin() as repo:
        await repo.turns.finish_reply(claim, reply(text))
        await repo.turns.annotate(claim, Annotation(demand="wants the order", sentiment=Sentiment.NEUTRAL))
