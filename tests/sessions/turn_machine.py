"""A model of turns that is driven together with the store, step by step, crashes included."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sessions import Claim, Conflict, Conversation, Event, LostLease, Message, Repository, Server, Site, Store, Turn
from tests.sessions.shop import Chat, open_chat

OPEN = ("queued", "running")

Work = Callable[[Repository], Awaitable[object]]


class _Crash(Exception):
    """The process died between the last statement and the commit: nothing of the transaction is kept."""


def _live_on(lives: bool) -> None:
    if not lives:
        raise _Crash


@dataclass
class ModelTurn:
    """What the store has to know of a turn. `left`: its owner's lease is over."""

    id: str
    chat: Chat
    state: str = "queued"
    attempt: int = 0
    owner: str | None = None
    replied: bool = False
    left: bool = False

    def held_by(self, claim: Claim) -> bool:
        return (self.state, self.attempt, self.owner) == ("running", claim.attempt, claim.owner)


@dataclass
class Model:
    """`turns` in the order in which they were posted; `prompts` what the engine was given last, by conversation."""

    chats: list[Chat] = field(default_factory=list)
    turns: list[ModelTurn] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    prompts: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def of(self, chat: Chat) -> list[ModelTurn]:
        return [turn for turn in self.turns if turn.chat is chat]

    def turn(self, turn_id: str) -> ModelTurn:
        return next(turn for turn in self.turns if turn.id == turn_id)

    def claimable(self) -> set[str]:
        """The first open turn of each conversation, if nobody answers it."""
        firsts = [next((turn for turn in self.of(chat) if turn.state in OPEN), None) for chat in self.chats]
        return {turn.id for turn in firsts if turn and (turn.state == "queued" or turn.left)}

    def settle(self) -> None:
        """Turns that were replied to and left are done: that is what the next look for work finds first."""
        for turn in self.turns:
            if turn.state == "running" and turn.left and turn.replied:
                turn.state = "done"


@dataclass(frozen=True)
class Stored:
    """Rows of one conversation; turns by id."""

    row: Conversation
    turns: Mapping[str, Turn]
    messages: Sequence[Message]
    events: Sequence[Event]


class Driver:
    """The store under test, on an event loop of its own, and the model."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.Runner()
        self.model = Model()
        self.numbers = count(1)
        self.store = self.loop.run(self._open(url))

    async def _open(self, url: str) -> Store:
        store = Store(url)
        async with store.begin() as repo:
            if await repo.sites.get("demo") is None:
                await repo.sites.add(Site(key="demo", name="Demo", pack="demo-shop"))
            for earlier in await repo.conversations.list(Server()):
                await repo.conversations.delete(Server(), earlier.id)
        self.model.chats = [await open_chat(store) for _ in range(2)]
        return store

    def close(self) -> None:
        self.loop.run(self.store.close())
        self.loop.close()

    def write(self, work: Work, crash: bool = False) -> tuple[str, object]:
        """What came of a transaction: `done` with its result, `lost`, `refused` or `crashed`."""
        return self.loop.run(self._write(work, crash))

    async def _write(self, work: Work, crash: bool) -> tuple[str, object]:
        try:
            async with self.store.begin() as repo:
                result = await work(repo)
                await repo.tx.session.flush()
                _live_on(not crash)
        except LostLease:
            return "lost", None
        except Conflict:
            return "refused", None
        except _Crash:
            return "crashed", None
        return "done", result

    def look(self, chat: Chat) -> "Stored":
        """All that the store holds of a conversation, at one moment."""
        return self.loop.run(self._look(chat))

    async def _look(self, chat: Chat) -> "Stored":
        async with self.store.read() as repo:
            return Stored(
                await repo.conversations.get(Server(), chat.id),
                {turn.id: await repo.turns.get(Server(), turn.id) for turn in self.model.of(chat)},
                await repo.messages.list(Server(), chat.id, limit=1000),
                await repo.events.list(Server(), chat.id, limit=1000),
            )

    def fenced(self, claim: Claim, work: Work, crash: bool, *, also: bool = True) -> ModelTurn | None:
        """Do what an owner does. The turn if it was done; None if it crashed or was refused, as it had to be."""
        turn = self.model.turn(claim.turn_id)
        lawful = turn.held_by(claim) and also
        outcome, _ = self.write(work, crash)
        assert outcome == (("crashed" if crash else "done") if lawful else "lost")
        return turn if outcome == "done" else None
