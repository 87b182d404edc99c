import asyncio
from datetime import timedelta

from sqlalchemy import func, select, update

from sessions import Store
from sessions.columns import now
from sessions.models import IdempotentAnswer


async def _keep(store: Store, scope: str = "caller", key: str = "k-1", response: str = "first") -> None:
    async with store.begin() as repo:
        await repo.idempotency.keep(scope, key, "hash", {"id": response}, status=201)


async def _age(store: Store, hours: float) -> None:
    async with store.begin() as repo:
        await repo.tx.session.execute(update(IdempotentAnswer).values(created_at=now() - timedelta(hours=hours)))


async def _count(store: Store) -> int:
    async with store.read() as repo:
        return await repo.tx.session.scalar(select(func.count()).select_from(IdempotentAnswer))


async def test_an_answer_is_found_again(store: Store) -> None:
    await _keep(store)
    async with store.read() as repo:
        found = await repo.idempotency.find("caller", "k-1")
        assert (found.body_hash, found.status, found.response) == ("hash", 201, {"id": "first"})
        assert await repo.idempotency.find("another caller", "k-1") is None
        assert await repo.idempotency.find("caller", "k-2") is None


async def test_an_answer_is_forgotten_after_a_day(store: Store) -> None:
    await _keep(store)
    await _age(store, 23.9)
    async with store.read() as repo:
        assert await repo.idempotency.find("caller", "k-1") is not None
    await _age(store, 24.1)
    async with store.read() as repo:
        assert await repo.idempotency.find("caller", "k-1") is None
    await _keep(store, response="second")
    async with store.read() as repo:
        assert (await repo.idempotency.find("caller", "k-1")).response == {"id": "second"}


async def test_old_answers_are_tidied_away(store: Store) -> None:
    await _keep(store, key="old")
    await _age(store, 25)
    await _keep(store, key="new")
    await store.tidy(None)
    assert await _count(store) == 1


async def test_of_equal_calls_at_once_one_does_the_work(store: Store, second: Store) -> None:
    worked = []

    async def call(at: Store, n: int) -> dict[str, object]:
        async with at.begin() as repo:
            if kept := await repo.idempotency.find("caller", "k-1"):
                return kept.response
            worked.append(n)
            await asyncio.sleep(0.02)
            await repo.idempotency.keep("caller", "k-1", "hash", {"n": n})
            return {"n": n}

    answers = await asyncio.gather(*(call(at, n) for n, at in enumerate([store, second] * 4)))
    assert len(worked) == 1
    assert answers == [{"n": worked[0]}] * 8
