"""The log as it grows. Whoever tails it holds no database session while waiting."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime

from sessions.errors import NotFound, Unavailable
from sessions.models import Event
from sessions.principal import Principal
from sessions.repository import Repository
from sessions.ring import Ring

PAGE = 200
RETRY_S = 1.0

Read = Callable[[], AbstractAsyncContextManager[Repository]]


class Feed:
    """Readers are woken by the ring and then read the database: what they yield is what is committed."""

    def __init__(self, read: Read, ring: Ring) -> None:
        self._read = read
        self._ring = ring

    async def tail(
        self, principal: Principal, conversation_id: str, after: int = 0, stop: asyncio.Event | None = None
    ) -> AsyncIterator[Event]:
        """Every event over `after` that the principal may see, in order, each once; then each new one.

        Ends when `stop` is set or the conversation is gone. Raises NotFound or Unavailable before the first event;
        while the database is away later on, it waits.
        """
        with self._ring.tail(conversation_id, after) as tail, _ended_by(stop, tail.wake) as ended:
            page = await self._page(principal, conversation_id, after)
            while page is not None:
                events, tail.seen = page
                for event in events:
                    yield event
                if len(events) < PAGE:
                    await tail.wake.wait()
                if ended():
                    return
                tail.wake.clear()
                page = await self._next_page(principal, conversation_id, tail.seen)

    async def tail_queue(self, principal: Principal, stop: asyncio.Event | None = None) -> AsyncIterator[str]:
        """The ids of the principal's conversations whose entry in a list changed, from now on.

        An id whose conversation is gone comes a last time, if it came before. Ends when `stop` is set.
        """
        known: dict[str, datetime] = {}
        with self._ring.queue() as tail, _ended_by(stop, tail.wake) as ended:
            while True:
                await tail.wake.wait()
                if ended():
                    return
                changed = tail.take()
                for conversation_id in await self._newly_listed(principal, changed, known):
                    yield conversation_id

    async def wait_for_work(self, timeout_s: float) -> None:
        """Return when a turn may wait for an owner, after `timeout_s` at the latest.

        A ring before the call is not lost: look for work until there is none, then wait.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._ring.work.wait()
        except TimeoutError:
            return
        self._ring.work.clear()

    async def _page(self, principal: Principal, conversation_id: str, after: int) -> tuple[Sequence[Event], int]:
        async with self._read() as repo:
            return await repo.events.page(principal, conversation_id, after=after, limit=PAGE)

    async def _next_page(
        self, principal: Principal, conversation_id: str, after: int
    ) -> tuple[Sequence[Event], int] | None:
        """None when the conversation is gone; nothing new when the database is away for a moment."""
        try:
            return await self._page(principal, conversation_id, after)
        except NotFound:
            return None
        except Unavailable:
            await asyncio.sleep(RETRY_S)
            return [], after

    async def _newly_listed(
        self, principal: Principal, changed: Sequence[str], known: dict[str, datetime]
    ) -> list[str]:
        """Those of the changed conversations that the principal sees and has not been told of as they now are."""
        try:
            async with self._read() as repo:
                moments = await repo.events.listed_at(principal, changed)
        except Unavailable:
            return []
        gone = [item for item in changed if item not in moments and known.pop(item, None)]
        news = [item for item, moment in moments.items() if known.get(item) != moment]
        known.update(moments)
        return news + gone


@contextmanager
def _ended_by(stop: asyncio.Event | None, wake: asyncio.Event) -> Iterator[Callable[[], bool]]:
    """Let `stop` wake the waiter; yields whether it did."""
    if stop is None:
        yield lambda: False
        return
    waiter = asyncio.ensure_future(stop.wait())
    waiter.add_done_callback(lambda _: wake.set())
    try:
        yield stop.is_set
    finally:
        waiter.cancel()
