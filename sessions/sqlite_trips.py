"""The driver of SQLite, with one trip to a connection's thread for each statement.

SQLAlchemy makes a cursor, executes, fetches and closes. To aiosqlite each of these is a trip to the connection's thread
and back: CPU, and on a machine that has more to do than cores a wait for one, twice. Here a statement is executed and
its rows are fetched in one trip; a plain BEGIN, for which SQLite does nothing yet, goes with the statement behind it;
a rollback of what has been committed, as SQLAlchemy's pool asks for, is none, and nobody waits for that of a reader. A
transaction that reads two rows waits for 2 trips, not 13.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Self

import aiosqlite

_BEGIN = "BEGIN"


def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """As `aiosqlite.connect`, for SQLAlchemy's `async_creator_fn`. Its thread does not keep the process alive."""
    connection = _Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True
    return connection


class _Connection(aiosqlite.Connection):
    _begins = False  # a BEGIN waits for the next statement
    _reads = False  # the transaction began with a plain BEGIN
    _settled = True  # nothing was executed since the last commit or rollback: another would do nothing

    def cursor(self) -> "_Cursor":  # type: ignore[override]  # SQLAlchemy asks for no more of it
        return _Cursor(self)

    async def run(self, sql: str, parameters: Iterable[Any], *, many: bool = False) -> "_Result":
        """Execute a statement and fetch what it returns."""
        if sql == _BEGIN:
            self._begins = True
            return _Result()
        begins, self._begins = self._begins, False
        if begins or self._settled:
            self._reads = begins
        self._settled = False
        return await self._execute(self._run, sql, parameters, many, begins)

    async def commit(self) -> None:
        self._begins = False
        if not self._settled:
            await super().commit()
            self._settled = True

    async def rollback(self) -> None:
        self._begins = False
        if self._settled:
            return
        if self._reads:
            # Nobody needs to wait for it: whoever has the connection next stands behind it in the thread's queue.
            self._tx.put_nowait((None, self._conn.rollback))
        else:
            await super().rollback()
        self._settled = True

    def _run(self, sql: str, parameters: Iterable[Any], many: bool, begins: bool) -> "_Result":
        cursor = self._conn.cursor()
        try:
            if begins:
                cursor.execute(_BEGIN)
            (cursor.executemany if many else cursor.execute)(sql, parameters)
            rows = cursor.fetchall() if cursor.description else []
            return _Result(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
        finally:
            cursor.close()


class _Result:
    """A statement's rows, all of them, and what the cursor said of it."""

    def __init__(
        self,
        rows: Sequence[Any] = (),
        description: Sequence[Any] | None = None,
        rowcount: int = -1,
        lastrowid: int | None = None,
    ) -> None:
        self.rows, self.description, self.rowcount, self.lastrowid = rows, description, rowcount, lastrowid


class _Cursor:
    """What SQLAlchemy's adapter asks of an asyncio driver's cursor."""

    arraysize = 1

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._result = _Result()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Sequence[Any] | None:
        return self._result.description

    @property
    def rowcount(self) -> int:
        return self._result.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._result.lastrowid

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        self._result = await self._connection.run(sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        self._result = await self._connection.run(sql, parameters, many=True)
        return self

    async def fetchall(self) -> Sequence[Any]:
        return self._result.rows

    async def close(self) -> None:
        """Nothing is left to close: the rows are here."""
