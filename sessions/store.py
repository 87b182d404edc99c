"""The store: transactions on the repository, and the feed that they ring."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from sessions.columns import now
from sessions.database import BUSY_MS, open_engine, reading, writing
from sessions.faults import away_as_unavailable
from sessions.feed import Feed
from sessions.models import Turn
from sessions.notices import Notices
from sessions.poll import Poll
from sessions.repository import Repository
from sessions.repository.transaction import Transaction
from sessions.ring import Ring
from sessions.session_pins import SessionPins
from sessions.turnstile import Turnstile

LOG_KEPT = timedelta(days=30)
"""How long the log of deliveries to programs is kept, if conversations are not forgotten sooner."""


class Store:
    """One process's access to the database. `url` is as the user writes it; its schema is `upgrade`'s matter.

    `on_ended`, if set, hears of each turn that somebody else than its owner ended here, once that is committed.
    """

    on_ended: Callable[[Turn], None] | None = None

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._writes, self._reads = writing(self._engine), reading(self._engine)
        self._ring = Ring()
        self._poll = Poll(self.read, self._ring)
        self._notices = Notices(url, uuid4().hex, self._ring) if self.is_postgres else None
        # SQLite has one writer: ours queue in order, rather than poll for its lock.
        self._turnstile = nullcontext if self.is_postgres else Turnstile(BUSY_MS / 1000).turn
        self._tasks: list[asyncio.Task[None]] = []
        self.feed = Feed(self.read, self._ring)
        self.session_pins = SessionPins(url) if self.is_postgres else None
        """What several processes have to know; SQLite serves one."""
        self.posted = asyncio.Event()
        """Set when this process has written something to be delivered."""

    @property
    def is_postgres(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    async def open(self) -> None:
        """Begin to hear of what other processes commit."""
        loops = [self._poll.run] if self._notices is None else [self._poll.run, self._notices.run]
        self._tasks = [asyncio.create_task(loop(), name=loop.__qualname__) for loop in loops]

    async def close(self) -> None:
        """Hear nothing more and give every connection back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.session_pins:
            await self.session_pins.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Repository]:
        """A transaction that writes: committed, then rung, at the end of the block; rolled back by an exception.

        Raises Unavailable when the database is away or busy; after a lost connection the commit may have happened.
        """
        with away_as_unavailable():
            async with self._turnstile(), _session(self._writes) as session:
                tx = Transaction(session, writes=True)
                repo = Repository(tx)
                yield repo
                await session.flush()
                posted = await repo.outbox.post()
                if self._notices and tx.changed:
                    await self._notices.send(session, tx.changed)
                await session.commit()
        self._ring.ring(tx.changed)
        if self.on_ended:
            for turn in tx.ended:
                self.on_ended(turn)
        if posted:
            self.posted.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Repository]:
        """A transaction that reads one moment of the database. Raises Unavailable."""
        with away_as_unavailable():
            async with _session(self._reads) as session:
                yield Repository(Transaction(session, writes=False))

    async def tidy(self, retention: timedelta | None, *, audit: timedelta | None = None) -> int:
        """Forget what has expired, and conversations that did not change for `retention`; returns how many.

        Entries of the audit log are kept for `audit`; None keeps them for ever. Raises Unavailable.
        """
        async with self.begin() as repo:
            await repo.idempotency.expire()
            await repo.persons.expire()
            await repo.webhooks.expire(now() - min(retention or LOG_KEPT, LOG_KEPT))
            if audit is not None:
                await repo.audit.expire(now() - audit)
        if self.session_pins:
            await self.session_pins.expire()
        removed = 0
        while retention is not None:
            async with self.begin() as repo:
                batch = await repo.conversations.expire(now() - retention)
            removed += batch
            if batch == 0:
                break
        return removed


def _session(engine: AsyncEngine) -> AsyncSession:
    return AsyncSession(engine, expire_on_commit=False)
