"""The one flusher of a process: deltas of all running replies go out in one transaction about every 100 ms.

The first visible text of a reply does not wait for it (`now`). Nothing is shown before its commit: surfaces only
tail the log that this writes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from sessions import Delta, Store, Unavailable

log = structlog.get_logger(__name__)


@dataclass
class Flusher:
    """`on_fenced(turn_id)` is told of a turn whose attempt is no longer ours, so that its work can stop."""

    store: Store
    interval: timedelta
    on_fenced: Callable[[str], None]

    def __post_init__(self) -> None:
        self._pending: dict[str, Delta] = {}
        self._waiting = asyncio.Event()

    def add(self, delta: Delta) -> None:
        """Queue text of a running reply; joined with what already waits for the same turn."""
        queued = self._pending.get(delta.turn_id)
        self._pending[delta.turn_id] = replace(delta, text=queued.text + delta.text) if queued else delta
        self._waiting.set()

    def drop(self, turn_id: str) -> None:
        """Forget what waits for a turn: its end carries the whole text."""
        self._pending.pop(turn_id, None)

    async def now(self, delta: Delta) -> None:
        """Commit one delta at once, behind whatever already waits."""
        self.add(delta)
        await self._flush()

    async def run(self) -> None:
        """Flush until cancelled. A store that is away for a moment loses nothing: the text waits."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(self.interval.total_seconds())
            try:
                await self._flush()
            except Unavailable:
                log.warning("store_unavailable", waiting_turns=len(self._pending))

    async def _flush(self) -> None:
        batch, self._pending = self._pending, {}
        self._waiting.clear()
        if not batch:
            return
        try:
            async with self.store.begin() as repo:
                fenced = await repo.turns.append_deltas(list(batch.values()))
        except Unavailable:
            self._put_back(batch)
            raise
        for delta in fenced:
            self.on_fenced(delta.turn_id)

    def _put_back(self, batch: dict[str, Delta]) -> None:
        newer, self._pending = self._pending, batch
        for delta in newer.values():
            self.add(delta)
        self._waiting.set()
