"""Where the prefixes lie of what we do not keep ourselves: sessions of the OpenAI endpoint, foreign conversations.

This process remembers it. Processes that share a PostgreSQL share the pins, too: read before a turn is placed, written
after it by compare and set. While the database is slow or away, what a process remembers itself has to do.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from backend.placement import Pin
from chat.ahead import pin_of
from sessions import Pin as StoredPin
from sessions import Store, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE_S = 0.1
RESPITE_S = 1.0


def pin_key(*parts: bytes) -> bytes:
    """16 bytes that stand for all the parts, in their order."""
    counted = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.blake2b(counted, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class _Held:
    pin: Pin
    at: float


class OwnPins:
    """This process' own memory: at most `capacity` sessions, some 600 bytes each, the longest unused given up first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[bytes, _Held] = OrderedDict()

    def get(self, session: bytes) -> Pin | None:
        """The session's pin as it is now, with the time since it was last used."""
        held = self._held.get(session)
        return held and replace(held.pin, idle_s=time.monotonic() - held.at)

    def put(self, session: bytes, pin: Pin) -> None:
        self._held[session] = _Held(pin, time.monotonic())
        self._held.move_to_end(session)
        while len(self._held) > self._capacity:
            self._held.popitem(last=False)

    def __len__(self) -> int:
        return len(self._held)


@dataclass(frozen=True, slots=True)
class Known:
    """A session's pin, and its version in the database: None where that was not asked or did not answer."""

    pin: Pin | None
    version: int | None = None


class SharedPins:
    """The pins of all processes on one PostgreSQL; with SQLite, which serves one process, this process' own.

    A database that has not answered within PATIENCE_S is left alone for RESPITE_S.
    """

    def __init__(self, own: OwnPins, store: Store) -> None:
        self._own, self._shared = own, store.session_pins
        self._respite_until = 0.0
        self._running = set[asyncio.Task[Any]]()

    async def get(self, session: bytes) -> Known:
        """The session's pin as it is now."""
        own = self._own.get(session)
        if self._shared is None:
            return Known(own)
        try:
            found = await self._in_time(self._shared.get(session.hex()))
        except Unavailable:
            return Known(own)
        return Known(pin_of(found[0]), found[1]) if found else Known(own, 0)

    async def put(self, session: bytes, pin: Pin, known: Known) -> None:
        """Set the pin; one that another process has set since `known` stays."""
        self._own.put(session, pin)
        if self._shared is None or known.version is None:
            return
        stored = StoredPin(pin.replica_id, pin.boot_id, pin.held_tokens, brand=pin.brand, misses=pin.misses)
        with suppress(Unavailable):
            await self._in_time(self._shared.set(session.hex(), stored, known.version))

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises Unavailable when the database is away or late; what was begun goes on, because to cut it off would
        cost a connection each time."""
        if time.monotonic() < self._respite_until:
            work.close()
            raise Unavailable("the database has its respite")
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(task), PATIENCE_S)
        except (TimeoutError, Unavailable) as error:
            self._respite_until = time.monotonic() + RESPITE_S
            log.warning("session_pins_late", error=str(error) or f"no answer within {PATIENCE_S:g} s")
            raise Unavailable("the database is late") from error

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has heard of it
