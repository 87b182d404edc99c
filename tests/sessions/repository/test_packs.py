import asyncio

import pytest

from sessions import NotFound, Release, Store

FILES = {"pack.toml": 'brand = "Lumen & Loom"\n', "system.md": "Line one.\r\nLine two: ä 你\n"}


async def _release(store: Store, version: str, rollout: int = 100) -> Release:
    async with store.begin() as repo:
        return await repo.packs.release("shop", version, FILES, rollout)


async def _standing(store: Store) -> list[str]:
    async with store.read() as repo:
        return [each.version for each in await repo.packs.releases("shop") if not each.is_withdrawn]


async def _roll_back(store: Store, version: str | None = None) -> str:
    async with store.begin() as repo:
        return (await repo.packs.roll_back("shop", version)).version


async def test_a_version_that_served_is_kept_byte_for_byte(store: Store) -> None:
    await _release(store, "a")
    await _release(store, "b")
    async with store.read() as repo:
        assert await repo.packs.files("shop", "a") == FILES
        with pytest.raises(NotFound):
            await repo.packs.files("other", "a")


async def test_the_newest_release_comes_first_also_when_it_served_before(store: Store) -> None:
    first = await _release(store, "a")
    await _release(store, "b")
    again = await _release(store, "a")
    assert await _standing(store) == ["a", "b"]
    assert again.first_served_at == first.first_served_at < again.released_at


async def test_the_share_of_a_version_can_be_changed_without_releasing_it_again(store: Store) -> None:
    first = await _release(store, "a", rollout=10)
    second = await _release(store, "a", rollout=50)
    assert (first.rollout, second.rollout) == (10, 50)
    assert first.released_at == second.released_at


async def test_rolling_back_withdraws_what_came_after(store: Store) -> None:
    for version in "abc":
        await _release(store, version)
    assert await _roll_back(store) == "b"
    assert await _standing(store) == ["b", "a"]
    assert (await _release(store, "c")).is_withdrawn
    assert await _standing(store) == ["b", "a"]
    await _release(store, "d")
    assert await _standing(store) == ["d", "b", "a"]


async def test_rolling_back_to_a_named_version_may_also_be_a_way_forward(store: Store) -> None:
    for version in "abc":
        await _release(store, version, rollout=10)
    assert await _roll_back(store, "a") == "a"
    assert await _standing(store) == ["a"]
    assert await _roll_back(store, "c") == "c"
    assert await _standing(store) == ["c", "a"]
    async with store.read() as repo:
        assert (await repo.packs.releases("shop"))[0].rollout == 100


async def test_there_must_be_something_to_roll_back_to(store: Store) -> None:
    await _release(store, "a")
    for version in (None, "z"):
        with pytest.raises(NotFound):
            await _roll_back(store, version)
    assert await _standing(store) == ["a"]


async def test_processes_that_start_together_release_once(store: Store, second: Store) -> None:
    releases = await asyncio.gather(*(_release(each, "a") for each in (store, second) * 4))
    assert len({release.released_at for release in releases}) == 1


async def test_a_recall_is_known_everywhere(store: Store, second: Store) -> None:
    async with store.begin() as repo:
        await repo.packs.recall("shop", "thanks")
        await repo.packs.recall("shop", "thanks")
        await repo.packs.recall("other", "goodbye")
    async with second.read() as repo:
        assert await repo.packs.recalled() == {"shop": {"thanks"}, "other": {"goodbye"}}
    async with second.begin() as repo:
        assert await repo.packs.restore("shop", "thanks")
        assert not await repo.packs.restore("shop", "thanks")
