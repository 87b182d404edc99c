"""Bring a database to the store's schema: `await upgrade(url)` at every start."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from sessions.database import open_migrating_engine
from sessions.faults import away_as_unavailable

SCRIPTS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x50494E44
"""PostgreSQL's lock that lets one process migrate while others wait; spells PIND."""
# Alembic keeps the context of a run in a module.
_one_at_a_time = Lock()


async def upgrade(url: str, revision: str = "head") -> None:
    """Run what is missing of the migrations, all in one transaction. Raises Unavailable.

    Safe to call from several processes at once.
    """
    await asyncio.to_thread(_run, url, lambda config: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision`; `base` drops every table of the store. Raises Unavailable."""
    await asyncio.to_thread(_run, url, lambda config: command.downgrade(config, revision))


def _run(url: str, step: Callable[[Config], None]) -> None:
    engine = open_migrating_engine(url)
    with _one_at_a_time, away_as_unavailable(), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        step(_config(connection))


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
