"""Which of the database's errors mean that it is away, and not that we made a mistake."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Error as PostgresError
from psycopg import InterfaceError, OperationalError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sessions.errors import Unavailable

_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
)


@contextmanager
def away_as_unavailable() -> Iterator[None]:
    """Raises Unavailable in place of the driver's error when the database is away, locked or full."""
    try:
        yield
    except (PoolTimeout, OSError) as error:
        raise Unavailable(str(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_away(error.orig):
            raise Unavailable(str(error.orig)) from error
        raise
    except (PostgresError, sqlite3.Error) as error:
        if _is_away(error):
            raise Unavailable(str(error)) from error
        raise


def _is_away(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        # The primary code is the low byte of an extended one.
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_AWAY
    return isinstance(error, OperationalError | InterfaceError)
