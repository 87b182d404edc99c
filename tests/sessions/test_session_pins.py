import asyncio

import psycopg
import pytest

from sessions import Pin, Store, Unavailable
from sessions.session_pins import KEPT, SessionPins

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]


@pytest.fixture
def one(store: Store) -> SessionPins:
    return store.session_pins


@pytest.fixture
def other(second: Store) -> SessionPins:
    return second.session_pins


async def test_a_sessions_pin_is_the_same_for_every_process(one: SessionPins, other: SessionPins) -> None:
    assert await one.get("s") is None
    assert await one.set("s", Pin("r0", "boot-1", 864, brand="brand", misses=1), 0)
    pin, version = await other.get("s")
    assert pin == Pin("r0", "boot-1", 864, pin.at, "brand", 1) and version == 1
    assert await other.get("another") is None


async def test_a_pin_is_compared_and_set(one: SessionPins, other: SessionPins) -> None:
    assert await one.set("s", Pin("r0", "boot-1"), 0)
    assert not await other.set("s", Pin("r1", "boot-2"), 0), "it knew of none"
    assert await other.set("s", Pin("r1", "boot-2"), 1)
    assert not await one.set("s", Pin("r0", "boot-1"), 1), "it knew the one before"
    pin, version = await one.get("s")
    assert (pin.replica, version) == ("r1", 2)


@pytest.mark.parametrize("version", [0, 1])
async def test_of_many_who_set_a_pin_at_once_one_wins(version: int, one: SessionPins, other: SessionPins) -> None:
    if version:
        await one.set("s", Pin("r9", "boot"), 0)
    each = enumerate([one, other] * 4)
    won = await asyncio.gather(*(at.set("s", Pin(f"r{n}", "boot"), version) for n, at in each))
    assert won.count(True) == 1
    assert (await one.get("s"))[0].replica == f"r{won.index(True)}"


@pytest.mark.parametrize(("aged_s", "kept"), [(KEPT.total_seconds() - 60, True), (KEPT.total_seconds() + 60, False)])
async def test_a_session_that_is_not_used_is_forgotten(
    aged_s: float, kept: bool, store: Store, one: SessionPins, database_url: str
) -> None:
    await one.set("s", Pin("r0", "boot-1"), 0)
    with psycopg.connect(database_url) as admin:
        admin.execute("UPDATE session_pin SET at = at - %s", [aged_s])
    await store.tidy(None)
    assert (await one.get("s") is not None) is kept


async def test_a_lost_connection_is_said_once_and_made_again(one: SessionPins, database_url: str) -> None:
    await one.set("s", Pin("r0", "boot-1"), 0)
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
                      " AND datname = current_database()")  # fmt: skip
    with pytest.raises(Unavailable):
        await one.get("s")
    assert (await one.get("s"))[0].replica == "r0"


async def test_a_database_that_is_away_is_said(database_url: str) -> None:
    with pytest.raises(Unavailable):
        await SessionPins("postgresql://nobody@127.0.0.1:9/nothing").get("s")
