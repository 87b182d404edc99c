"""Databases and telemetry that the tests here share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from telemetry import Telemetry, TelemetryConfig
from telemetry.store import SpanStore


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that Pindesk supports."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'pindesk.db'}"


@pytest.fixture
def store(database_url: str) -> Iterator[SpanStore]:
    store = SpanStore(database_url)
    store.open()
    yield store
    store.close()


@pytest.fixture
async def telemetry(tmp_path: Path) -> AsyncIterator[Telemetry]:
    """Everything running, on SQLite and a free port."""
    telemetry = Telemetry(TelemetryConfig(f"sqlite:///{tmp_path / 'pindesk.db'}", receiver_port=0))
    await telemetry.open()
    yield telemetry
    await telemetry.close()
