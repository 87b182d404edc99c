from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

from sessions import Store
from sessions.columns import clock, iso, now, within_range, without_nul
from tests.sessions.shop import Chat

PLUS_EIGHT = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


async def test_the_databases_clock_counts_seconds_since_1970(store: Store) -> None:
    async with store.read() as repo:
        first = await repo.tx.session.scalar(select(clock()))
    assert isinstance(first, float)
    assert abs(first - now().timestamp()) < 5


async def test_the_databases_clock_goes_on_within_a_transaction(store: Store) -> None:
    async with store.read() as repo:
        moments = [await repo.tx.session.scalar(select(clock())) for _ in range(50)]
    assert moments == sorted(moments)
    assert moments[-1] > moments[0]


@pytest.mark.parametrize("moment", [NOON, NOON.astimezone(PLUS_EIGHT), NOON.replace(microsecond=0)])
async def test_moments_come_back_in_utc(store: Store, chat: Chat, moment: datetime) -> None:
    async with store.begin() as repo:
        row = await repo.conversations.log.lock(chat.id)
        row.closed_at = moment
    kept = (await chat.row()).closed_at
    assert kept == moment
    assert kept.utcoffset() == timedelta(0)


@pytest.mark.parametrize("moment", [NOON, NOON.astimezone(PLUS_EIGHT), NOON.replace(microsecond=0)])
def test_moments_are_written_as_pydantic_writes_them(moment: datetime) -> None:
    assert iso(moment).endswith("Z")
    assert f'"{iso(moment)}"' == TypeAdapter(datetime).dump_json(moment.astimezone(UTC)).decode()


def test_nul_is_replaced() -> None:
    assert without_nul("a\x00b") == "a\ufffdb"


@pytest.mark.parametrize(("asked", "taken"), [(5, 5), (-3, -3), (2**31, 2**31 - 1), (10**40, 2**31 - 1)])
def test_numbers_beyond_an_integer_column(asked: int, taken: int) -> None:
    assert within_range(asked) == taken
