"""How processes on one PostgreSQL tell each other what they committed: one channel, one NOTIFY a transaction."""

import asyncio
from collections.abc import Mapping

import structlog
from psycopg import AsyncConnection, Error
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sessions.database import CONNECT_S, libpq_url
from sessions.ring import Ring

log = structlog.get_logger(__name__)

CHANNEL = "pindesk"
MAX_BYTES = 7000
"""PostgreSQL takes payloads of less than 8,000 bytes."""
_RETRY_S = 1.0
_EVERYTHING = "*"
_LISTED = "+"
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


class Notices:
    """`sender` tells our own notices, which need no answer, from those of others."""

    def __init__(self, url: str, sender: str, ring: Ring) -> None:
        self._url = libpq_url(url)
        self._sender = sender
        self._ring = ring

    async def send(self, session: AsyncSession, changed: Mapping[str, bool]) -> None:
        """Tell the others when this transaction commits."""
        payload = f"{self._sender}:{write(changed)}"
        await session.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

    async def run(self) -> None:
        """Listen until cancelled, with a new connection whenever one is lost."""
        while True:
            try:
                await self._listen()
            except (Error, OSError) as error:
                log.warning("store_notices_lost", reason=type(error).__name__)
            except Exception:
                log.exception("store_notices_failed")
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        async with await self._connect() as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            # Whatever was said before we listened.
            self._ring.ring_all()
            async for notice in connection.notifies():
                self._hear(notice.payload)

    async def _connect(self) -> AsyncConnection:
        connecting = asyncio.ensure_future(
            AsyncConnection.connect(self._url, autocommit=True, connect_timeout=CONNECT_S)
        )
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # A connection left half open makes the server wait a minute for its password.
            await asyncio.wait([connecting])
            if connecting.exception() is None:
                await connecting.result().close()
            raise

    def _hear(self, payload: str) -> None:
        sender, _, words = payload.partition(":")
        if sender == self._sender:
            return
        if words == _EVERYTHING:
            self._ring.ring_all()
        else:
            self._ring.ring(read(words))


def write(changed: Mapping[str, bool]) -> str:
    """Comma-joined ids, each with a `+` if a list of conversations shows the change; `*` if that grows too long."""
    words = ",".join(item + _LISTED * listed for item, listed in changed.items())
    return words if len(words.encode()) <= MAX_BYTES else _EVERYTHING


def read(words: str) -> dict[str, bool]:
    """The inverse of `write`, for anything but `*`."""
    return {word.removesuffix(_LISTED): word.endswith(_LISTED) for word in words.split(",") if word}
