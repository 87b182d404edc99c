"""Where sessions of the OpenAI endpoint and foreign conversations are, alike for every process on one PostgreSQL.

One connection of its own, each statement its own transaction: every request reads and writes a pin, and the way
through the repository takes several times as long.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from sessions.database import CONNECT_S, POSTGRES_OPTIONS, libpq_url
from sessions.faults import away_as_unavailable
from sessions.pin import Pin

KEPT = timedelta(hours=2)
"""How long a session is remembered after its last turn: by then its prefix has mostly gone from the cache."""

_CLOCK = "extract(epoch from clock_timestamp())::float8"
_GET = "SELECT replica, boot_id, cached_tokens, at, brand, misses, version FROM session_pin WHERE session = %s"
_SET = f"""
INSERT INTO session_pin (session, replica, boot_id, cached_tokens, brand, misses, version, at)
VALUES (%(session)s, %(replica)s, %(boot_id)s, %(cached_tokens)s, %(brand)s, %(misses)s, %(expected)s + 1, {_CLOCK})
ON CONFLICT (session) DO UPDATE SET
    replica = excluded.replica, boot_id = excluded.boot_id, cached_tokens = excluded.cached_tokens,
    brand = excluded.brand, misses = excluded.misses, version = excluded.version, at = excluded.at
WHERE session_pin.version = %(expected)s
RETURNING version
"""
_EXPIRE = f"""
WITH gone AS (DELETE FROM session_pin WHERE at < {_CLOCK} - %s RETURNING 1) SELECT count(*) FROM gone
"""


class SessionPins:
    """Every method raises Unavailable. A lost connection is made again for the next statement."""

    def __init__(self, url: str) -> None:
        self._url = libpq_url(url)
        self._connection: AsyncConnection | None = None
        self._alone = asyncio.Lock()

    async def get(self, session: str) -> tuple[Pin, int] | None:
        """The pin and its version, which counts from 1."""
        row = await self._ask(_GET, [session])
        return row and (Pin(*row[:-1]), row[-1])

    async def set(self, session: str, pin: Pin, expected_version: int) -> bool:
        """Compare and set: False, and nothing changed, when somebody changed the pin since `expected_version`.

        0 stands for a session without one. `pin.at` is not read, it becomes the database's present.
        """
        values = {"session": session, "replica": pin.replica, "boot_id": pin.boot_id, "brand": pin.brand}
        values |= {"cached_tokens": pin.cached_tokens, "misses": pin.misses, "expected": expected_version}
        return await self._ask(_SET, values) is not None

    async def expire(self) -> None:
        """Forget the sessions that were not used for `KEPT`."""
        await self._ask(_EXPIRE, [KEPT.total_seconds()])

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _ask(self, statement: str, values: Sequence[Any] | dict[str, Any]) -> tuple[Any, ...] | None:
        with away_as_unavailable():
            async with self._alone:
                if self._connection is None or self._connection.closed:
                    self._connection = await AsyncConnection.connect(
                        self._url, autocommit=True, connect_timeout=CONNECT_S, options=POSTGRES_OPTIONS
                    )
                return await (await self._connection.execute(statement, values)).fetchone()
