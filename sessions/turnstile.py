"""The queue before a database that has one writer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sessions.errors import Unavailable


class Turnstile:
    """Lets one through at a time, in the order of arrival.

    However long the queue is, it is waited for while it moves; when nobody has come out well for `patience_s`,
    whoever has waited that long gives up.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = asyncio.Lock()
        self._moved_at = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn and keep it for the block. Raises Unavailable when the queue stands still."""
        await self._arrive()
        try:
            yield
            self._moved_at = time.monotonic()
        finally:
            self._lock.release()

    async def _arrive(self) -> None:
        arriving = asyncio.ensure_future(self._lock.acquire())
        try:
            await self._wait(arriving, time.monotonic())
        except BaseException:
            if not arriving.cancel():
                self._lock.release()
            raise

    async def _wait(self, arriving: asyncio.Future[bool], since: float) -> None:
        while not arriving.done():
            left_s = max(since, self._moved_at) + self._patience_s - time.monotonic()
            if left_s <= 0:
                raise Unavailable("the database is busy")
            await asyncio.wait([arriving], timeout=left_s)
