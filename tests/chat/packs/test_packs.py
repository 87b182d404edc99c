"""Versions of packs: an edit is live for new conversations, a conversation keeps the version that it began with."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat.packs import Packs, UnknownPack
from chat.packs.packs import LOOK_EVERY_S
from prompts import Pack, PackError
from prompts.recall import recall, restore
from sessions import Site, Store

Edit = Callable[[str], None]
PACK = "demo-shop"


async def looks(packs: Packs) -> None:
    """As many looks as an edit takes, and the warm-up after them."""
    for _ in range(2):
        await packs._look()
    await asyncio.gather(*packs._warming.values())


def brand(packs: Packs) -> str:
    return packs.named(PACK).brand


async def test_an_edit_is_live_for_new_conversations_without_a_restart(packs: Packs, edit: Edit) -> None:
    before = packs.named(PACK)
    edit("Moon & Loom")
    await looks(packs)
    assert brand(packs) == "Moon & Loom"
    assert await packs.get(PACK, before.version) == before


async def test_an_edit_counts_once_it_has_settled(packs: Packs, edit: Edit) -> None:
    edit("Moon & Loom")
    await packs._look()
    edit("Sun & Loom")
    await packs._look()
    assert brand(packs) == "Lumen & Loom"
    await looks(packs)
    assert brand(packs) == "Sun & Loom"


async def test_a_pack_with_mistakes_is_refused_and_the_old_version_keeps_serving(
    packs: Packs, folder: Path, edit: Edit
) -> None:
    body = folder / PACK / "templates" / "thanks.toml"
    good = body.read_text(encoding="utf-8")
    body.write_text(good.replace("very welcome", "very {{ welcome }}"), encoding="utf-8")
    await looks(packs)
    assert "{{ welcome }}" not in packs.named(PACK).templates["thanks"].bodies["en"]
    body.write_text(good, encoding="utf-8")
    edit("Moon & Loom")
    await looks(packs)
    assert brand(packs) == "Moon & Loom"


async def test_a_lookup_that_cannot_be_called_is_a_mistake(packs: Packs, folder: Path) -> None:
    path = folder / PACK / "pack.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("chat.lookups:order_status", "nowhere:f"), encoding="utf-8")
    before = packs.named(PACK).version
    await looks(packs)
    assert packs.named(PACK).version == before


async def test_the_first_start_needs_a_pack_without_mistakes(store: Store, folder: Path) -> None:
    (folder / PACK / "system.md").unlink()
    with pytest.raises(PackError):
        await Packs(store, folder).open()


async def test_a_restart_over_a_spoilt_folder_goes_on_with_what_served(
    packs: Packs, store: Store, folder: Path
) -> None:
    before = packs.named(PACK)
    (folder / PACK / "system.md").unlink()
    after = Packs(store, folder)
    await after.open()
    assert after.named(PACK) == before


async def test_a_version_outlives_the_edit_and_the_process(
    packs: Packs, store: Store, folder: Path, edit: Edit
) -> None:
    before = packs.named(PACK)
    edit("Moon & Loom")
    after = Packs(store, folder)
    await after.open()
    assert brand(after) == "Moon & Loom"
    assert await after.get(PACK, before.version) == before


async def test_another_process_hears_of_a_release(packs: Packs, store: Store, folder: Path, edit: Edit) -> None:
    elsewhere = Packs(store, folder.parent / "no packs here")
    await elsewhere.open()
    assert elsewhere.named(PACK) == packs.named(PACK)
    edit("Moon & Loom")
    await looks(packs)
    await looks(elsewhere)
    assert brand(elsewhere) == "Moon & Loom"


async def test_a_new_version_is_warm_before_its_first_conversation(packs: Packs, edit: Edit) -> None:
    warmed: list[Pack] = []
    gate = asyncio.Event()

    async def warm(pack: Pack) -> None:
        warmed.append(pack)
        await gate.wait()

    packs.warm = warm
    edit("Moon & Loom")
    for _ in range(3):
        await packs._look()
        await asyncio.sleep(0)
    assert ([pack.brand for pack in warmed], brand(packs)) == (["Moon & Loom"], "Lumen & Loom")
    gate.set()
    await looks(packs)
    assert brand(packs) == "Moon & Loom"


async def test_a_warm_up_that_fails_costs_no_more_than_a_cold_start(packs: Packs, edit: Edit) -> None:
    async def warm(pack: Pack) -> None:
        raise ConnectionError

    packs.warm = warm
    edit("Moon & Loom")
    await looks(packs)
    assert brand(packs) == "Moon & Loom"


async def test_a_tenth_of_new_conversations_gets_a_version_that_is_rolled_out(
    packs: Packs, folder: Path, edit: Edit
) -> None:
    site = Site(key="demo", name="Demo", pack=PACK)
    path = folder / PACK / "pack.toml"
    edit("Moon & Loom")
    path.write_text("rollout = 10\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    await looks(packs)
    begun = [packs.begun(site, f"cnv_{at}") for at in range(2000)]
    assert begun == [packs.begun(site, f"cnv_{at}") for at in range(2000)]
    assert 150 < sum(pack.brand == "Moon & Loom" for pack in begun) < 250
    assert brand(packs) == "Lumen & Loom"
    assert {pack.brand for pack in packs.of_site(site)} == {"Moon & Loom", "Lumen & Loom"}

    path.write_text(path.read_text(encoding="utf-8").replace("rollout = 10", "rollout = 100"), encoding="utf-8")
    await looks(packs)
    assert {packs.begun(site, f"cnv_{at}").brand for at in range(200)} == {"Moon & Loom"}


async def test_a_roll_back_is_heeded_also_over_a_restart(packs: Packs, store: Store, folder: Path, edit: Edit) -> None:
    edit("Moon & Loom")
    await looks(packs)
    async with store.begin() as repo:
        await repo.packs.roll_back(PACK)
    await looks(packs)
    assert brand(packs) == "Lumen & Loom"
    after = Packs(store, folder)
    await after.open()
    assert brand(after) == "Lumen & Loom"
    edit("Sun & Loom")
    await looks(after)
    assert brand(after) == "Sun & Loom"


async def test_a_site_may_be_held_at_a_version(packs: Packs, store: Store, edit: Edit) -> None:
    before = packs.named(PACK)
    async with store.begin() as repo:
        site = await repo.sites.update("demo", pack_version=before.version)
    edit("Moon & Loom")
    await looks(packs)
    assert packs.begun(site, "cnv_1") == before
    assert packs.of_site(site) == [before]


async def test_a_version_that_a_site_goes_back_to_is_warmed(packs: Packs, store: Store, edit: Edit) -> None:
    before = packs.named(PACK)
    edit("Moon & Loom")
    await looks(packs)
    warmed: list[str] = []

    async def warm(pack: Pack) -> None:
        warmed.append(pack.brand)

    packs.warm = warm
    async with store.begin() as repo:
        await repo.sites.update("demo", pack_version=before.version)
    await looks(packs)
    assert warmed == ["Lumen & Loom"]


async def test_a_recall_works_at_the_next_look_from_the_folder_and_from_the_store(
    packs: Packs, store: Store, folder: Path
) -> None:
    pack = packs.named(PACK)
    assert packs.speakable(pack) is None
    recall(folder / PACK, "thanks")
    async with store.begin() as repo:
        await repo.packs.recall(PACK, "goodbye")
    await packs._look()
    only = packs.speakable(pack)
    assert only == {each.id for each in pack.offered} - {"thanks", "goodbye"}
    assert packs.named(PACK).version == pack.version
    restore(folder / PACK, "thanks")
    await packs._look()
    assert packs.recalled(PACK) == {"goodbye"}


async def test_a_recall_is_brought_to_the_replicas_once(packs: Packs, folder: Path) -> None:
    warmed: list[frozenset[str]] = []

    async def warm(pack: Pack) -> None:
        warmed.append(packs.recalled(pack.name))

    packs.warm = warm
    recall(folder / PACK, "thanks")
    await looks(packs)
    await looks(packs)
    assert warmed == [{"thanks"}]
    restore(folder / PACK, "thanks")
    await looks(packs)
    assert warmed == [{"thanks"}, frozenset()]


async def test_a_recall_during_a_warm_up_is_brought_to_the_replicas_after_it(packs: Packs, folder: Path) -> None:
    warmed: list[frozenset[str]] = []
    gate = asyncio.Event()

    async def warm(pack: Pack) -> None:
        warmed.append(packs.recalled(pack.name))
        await gate.wait()

    packs.warm = warm
    recall(folder / PACK, "thanks")
    await packs._look()
    await asyncio.sleep(0)
    recall(folder / PACK, "goodbye")
    await packs._look()
    gate.set()
    await looks(packs)
    assert warmed == [{"thanks"}, {"thanks", "goodbye"}]


async def test_a_recall_is_warmed_for_the_versions_that_conversations_speak(
    packs: Packs, folder: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed: list[str] = []

    async def warm(pack: Pack) -> None:
        warmed.append(pack.brand)

    spoken = packs.named(PACK).version
    for name in ("Sun & Loom", "Moon & Loom"):
        edit(name)
        await looks(packs)
    await packs.get(PACK, spoken)
    packs.warm = warm
    recall(folder / PACK, "thanks")
    await looks(packs)
    assert sorted(warmed) == ["Lumen & Loom", "Moon & Loom"], "nobody speaks the one between"
    warmed.clear()
    monkeypatch.setattr("chat.packs.packs.SPOKEN_FOR_S", 0)
    recall(folder / PACK, "goodbye")
    await looks(packs)
    assert warmed == ["Moon & Loom"], "nobody has spoken the old one for so long"


async def test_a_version_that_is_rolled_back_to_is_warmed_again(packs: Packs, store: Store, edit: Edit) -> None:
    edit("Moon & Loom")
    await looks(packs)
    warmed: list[str] = []

    async def warm(pack: Pack) -> None:
        warmed.append(pack.brand)

    packs.warm = warm
    async with store.begin() as repo:
        await repo.packs.roll_back(PACK)
    await looks(packs)
    assert (warmed, brand(packs)) == (["Lumen & Loom"], "Lumen & Loom")


@pytest.mark.parametrize(
    ("change", "times"), [({"key": "lamps"}, 1), ({"salt_epoch": 1}, 1), ({"enabled": False}, 0)], ids=str
)
async def test_a_site_that_is_new_or_has_a_new_salt_is_warmed_once(
    packs: Packs, store: Store, change: dict[str, Any], times: int
) -> None:
    warmed: list[str] = []

    async def warm(pack: Pack) -> None:
        warmed.append(pack.brand)

    packs.warm = warm
    async with store.begin() as repo:
        if "key" in change:
            await repo.sites.add(Site(name="Lamps", pack=PACK, **change))
        else:
            await repo.sites.update("demo", **change)
    await looks(packs)
    await looks(packs)
    assert warmed == ["Lumen & Loom"] * times


async def test_a_recall_list_that_cannot_be_read_changes_nothing(packs: Packs, folder: Path) -> None:
    recall(folder / PACK, "thanks")
    await packs._look()
    (folder / PACK / "recalled.toml").write_text("thanks")
    await packs._look()
    assert packs.recalled(PACK) == {"thanks"}


async def test_a_version_that_nobody_kept_gives_way_to_the_present_one(packs: Packs) -> None:
    assert await packs.get(PACK, "0" * 12) == packs.named(PACK)
    with pytest.raises(UnknownPack):
        packs.named("no-such-shop")


async def test_the_loop_does_all_this_by_itself(packs: Packs, edit: Edit) -> None:
    loop = asyncio.create_task(packs.run())
    edit("Moon & Loom")
    async with asyncio.timeout(6 * LOOK_EVERY_S):
        while brand(packs) != "Moon & Loom":
            await asyncio.sleep(0.05)
    loop.cancel()
