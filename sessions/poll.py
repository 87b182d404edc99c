"""The look at the database each second, for what no ring announced.

Several processes on one SQLite file have nothing else; on PostgreSQL it makes up for a lost connection.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from sessions.columns import now
from sessions.errors import Unavailable
from sessions.feed import Read
from sessions.ring import Ring

log = structlog.get_logger(__name__)

POLL_S = 1.0
_OVERLAP = timedelta(seconds=10)
"""How far the clocks of two servers may be apart."""
_AT_ONCE = 500


class Poll:
    def __init__(self, read: Read, ring: Ring) -> None:
        self._read = read
        self._ring = ring
        self._listed: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.look()
            except Unavailable:
                continue
            except Exception:
                log.exception("store_poll_failed")

    async def look(self) -> None:
        """Wake the readers who have missed something. Raises Unavailable."""
        tailed = self._ring.tailed
        for start in range(0, len(tailed), _AT_ONCE):
            await self._look_at(tailed[start : start + _AT_ONCE])
        if self._ring.has_queues:
            await self._look_at_list()

    async def _look_at(self, conversation_ids: Sequence[str]) -> None:
        async with self._read() as repo:
            last_seqs = await repo.events.last_seqs(conversation_ids)
        self._ring.compare(conversation_ids, last_seqs)

    async def _look_at_list(self) -> None:
        async with self._read() as repo:
            listed = await repo.events.listed_since(now() - _OVERLAP)
        changed = [item for item, moment in listed.items() if self._listed.get(item) != moment]
        self._listed = listed
        if changed:
            self._ring.ring_lists(changed)
