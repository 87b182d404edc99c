"""Two processes' pins over one database."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from backend.placement import Pin
from chat import pins
from chat.pins import Known, OwnPins, SharedPins
from sessions import Store, upgrade

SESSION = b"s" * 16
HERE, THERE = Pin("r0", "1", 640, "brand", 1), Pin("r1", "2", 700, "brand")


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[SharedPins, SharedPins]]:
    await upgrade(url)
    stores = Store(url), Store(url)
    one, other = (SharedPins(OwnPins(10), store) for store in stores)
    for store in stores:
        await store.session_pins.get("nobody")  # the connection takes its time
    try:
        yield one, other
    finally:
        for store in stores:
            await store.close()


async def where(shared: SharedPins) -> str | None:
    pin = (await shared.get(SESSION)).pin
    return pin and pin.replica_id


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other things is no late database."""
    monkeypatch.setattr(pins, "PATIENCE_S", 5.0)


@pytest.mark.postgres
@pytest.mark.usefixtures("patient")
async def test_what_one_process_pins_the_other_knows(postgres_url: str) -> None:
    async with two(postgres_url) as (one, other):
        assert await one.get(SESSION) == Known(None, 0)
        await one.put(SESSION, HERE, Known(None, 0))
        known = await other.get(SESSION)
        assert known == Known(Pin("r0", "1", 640, "brand", 1, known.pin.idle_s), 1) and 0 <= known.pin.idle_s < 5
        await other.put(SESSION, THERE, known)
        assert await where(one) == "r1", "not where it has been itself"


@pytest.mark.postgres
@pytest.mark.usefixtures("patient")
async def test_of_two_that_place_a_session_at_once_the_first_decides_for_both(postgres_url: str) -> None:
    async with two(postgres_url) as (one, other):
        known = [await each.get(SESSION) for each in (one, other)]
        await one.put(SESSION, HERE, known[0])
        await other.put(SESSION, THERE, known[1])
        assert [await where(one), await where(other)] == ["r0", "r0"]


@pytest.mark.postgres
async def test_a_late_database_holds_nobody_up_and_is_asked_again_later(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "PATIENCE_S", 0.3)
    async with two(postgres_url) as (one, other):
        await one.put(SESSION, HERE, await one.get(SESSION))
        await other.put(SESSION, THERE, await other.get(SESSION))
        with psycopg.connect(postgres_url) as admin:
            admin.execute("LOCK TABLE session_pin IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            late = await one.get(SESSION)
            assert late.pin.replica_id == "r0" and late.version is None, "what it remembers itself"
            assert 0.3 <= time.monotonic() - began < 2
            began = time.monotonic()
            for _ in range(100):
                await one.put(SESSION, HERE, await one.get(SESSION))
            assert time.monotonic() - began < 0.3, "in its respite nobody asks"
        monkeypatch.setattr(pins, "PATIENCE_S", 5.0)
        monkeypatch.setattr(one, "_respite_until", 0.0)
        assert await where(one) == "r1"


async def test_a_file_of_one_process_is_not_asked(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/never-made.db")
    shared = SharedPins(OwnPins(10), store)
    await shared.put(SESSION, HERE, await shared.get(SESSION))
    assert await where(shared) == "r0" and (await shared.get(SESSION)).version is None
    await store.close()


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:9/nothing"])
async def test_without_a_database_a_process_goes_by_its_own_memory(url: str) -> None:
    store = Store(url)
    shared = SharedPins(OwnPins(10), store)
    for pin in (HERE, THERE):
        await shared.put(SESSION, pin, await shared.get(SESSION))
    assert await where(shared) == "r1"
    await store.close()
