import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from chat.turns.flusher import Flusher
from sessions import Delta, Unavailable


class Ledger:
    """A store of which only `begin` and `append_deltas` are asked."""

    def __init__(self) -> None:
        self.batches: list[list[Delta]] = []
        self.away = False
        self.fenced: list[str] = []
        self.turns = self

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        if self.away:
            raise Unavailable("away")
        yield SimpleNamespace(turns=self)

    async def append_deltas(self, deltas: list[Delta]) -> list[Delta]:
        self.batches.append(deltas)
        return [delta for delta in deltas if delta.turn_id in self.fenced]

    def text_of(self, turn_id: str) -> str:
        return "".join(delta.text for batch in self.batches for delta in batch if delta.turn_id == turn_id)


def delta(turn_id: str, text: str) -> Delta:
    return Delta("cnv", turn_id, 1, "me", text)


@asynccontextmanager
async def flushing(ledger: Ledger, interval_ms: float = 30) -> AsyncIterator[tuple[Flusher, list[str]]]:
    lost: list[str] = []
    flusher = Flusher(ledger, timedelta(milliseconds=interval_ms), lost.append)
    task = asyncio.create_task(flusher.run())
    yield flusher, lost
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_texts_of_all_turns_go_out_together() -> None:
    ledger = Ledger()
    async with flushing(ledger) as (flusher, _):
        for text in "abc":
            flusher.add(delta("one", text))
            flusher.add(delta("two", text.upper()))
        await asyncio.sleep(0.1)
    assert [[d.text for d in batch] for batch in ledger.batches] == [["abc", "ABC"]]


async def test_the_first_text_does_not_wait() -> None:
    ledger = Ledger()
    async with flushing(ledger, interval_ms=10_000) as (flusher, _):
        await flusher.now(delta("one", "Hello"))
        assert ledger.text_of("one") == "Hello"


async def test_a_dropped_turn_writes_nothing_more() -> None:
    ledger = Ledger()
    async with flushing(ledger) as (flusher, _):
        flusher.add(delta("one", "Hello"))
        flusher.drop("one")
        await asyncio.sleep(0.1)
    assert ledger.batches == []


async def test_while_the_store_is_away_the_text_waits_in_order() -> None:
    ledger = Ledger()
    async with flushing(ledger) as (flusher, _):
        ledger.away = True
        flusher.add(delta("one", "Hello, "))
        await asyncio.sleep(0.1)
        flusher.add(delta("one", "you"))
        ledger.away = False
        await asyncio.sleep(0.1)
    assert ledger.text_of("one") == "Hello, you"


async def test_the_owner_of_a_fenced_turn_is_told() -> None:
    ledger = Ledger()
    ledger.fenced = ["one"]
    async with flushing(ledger) as (flusher, lost):
        await flusher.now(delta("one", "Hello"))
    assert lost == ["one"]
