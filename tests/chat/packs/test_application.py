"""A pack's versions over the real application: what the engine is given, what agents may say, the command."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backend.salt import cache_salt
from chat.packs.__main__ import main
from chat.warm import OPENING
from prompts import speakable, system_prompt, turn_schema
from prompts.recall import recall
from sessions import TurnState
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.chat.turns.test_answering import script
from tests.scripted_engine import ScriptedEngine

SAID = "Thanks a lot"

Edit = Callable[[str], None]


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with ScriptedEngine() as engine:
        engine.always = script("thanks")
        yield engine


@pytest.fixture
async def api(tmp_path: Path, folder: Path, engine: ScriptedEngine) -> AsyncIterator[Api]:
    async with serving(make_settings(tmp_path, replicas=[engine.url], packs_dir=folder)) as api:
        await api.services.replicas.wait_ready(10)
        yield api


async def answered(api: Api, opened: Opened, turn: str) -> TurnState:
    """Post a turn and wait for its end."""
    turn_id = (await api.post(opened, SAID, turn)).json()["turn_id"]
    async with asyncio.timeout(15):
        while True:
            async with api.services.store.read() as repo:
                state = (await repo.turns.get(api.services.keys.staff(api.keys["agent"]), turn_id)).state
            if state not in (TurnState.QUEUED, TurnState.RUNNING):
                return state
            await asyncio.sleep(0.02)


async def live(api: Api, brand: str) -> None:
    async with asyncio.timeout(15):
        while api.services.packs.named("demo-shop").brand != brand:
            await asyncio.sleep(0.05)


async def test_a_conversation_keeps_its_version_and_a_new_one_begins_warm(
    api: Api, engine: ScriptedEngine, edit: Edit
) -> None:
    old_prompt = system_prompt(api.services.packs.named("demo-shop"))
    opened = await api.open()
    assert await answered(api, opened, "t1") == TurnState.DONE
    edit("Moon & Loom")
    await live(api, "Moon & Loom")
    new_prompt = system_prompt(api.services.packs.named("demo-shop"))
    assert [probe.body["messages"][0]["content"] for probe in engine.probes].count(new_prompt) == 2, "both sites"

    assert await answered(api, opened, "t2") == TurnState.DONE
    later = await api.open()
    assert "Moon & Loom" in later.greeting
    assert await answered(api, later, "t1") == TurnState.DONE

    assert [call.body["messages"][0]["content"] for call in engine.calls] == [old_prompt, old_prompt, new_prompt]


async def test_a_conversation_keeps_its_version_over_a_restart(
    tmp_path: Path, folder: Path, engine: ScriptedEngine, edit: Edit
) -> None:
    settings = make_settings(tmp_path, replicas=[engine.url], packs_dir=folder)
    async with serving(settings) as api:
        opened, prompt = await api.open(), system_prompt(api.services.packs.named("demo-shop"))
    edit("Moon & Loom")
    async with serving(settings) as api:
        assert await answered(api, opened, "t1") == TurnState.DONE
    assert engine.calls[-1].body["messages"][0]["content"] == prompt


async def test_a_recalled_template_is_stopped_in_a_running_conversation(
    api: Api, engine: ScriptedEngine, folder: Path
) -> None:
    opened, pack = await api.open(), api.services.packs.named("demo-shop")
    assert await answered(api, opened, "t1") == TurnState.DONE
    recall(folder / "demo-shop", "thanks")
    async with asyncio.timeout(5):
        while not api.services.packs.recalled("demo-shop"):
            await asyncio.sleep(0.05)

    assert await answered(api, opened, "t2") == TurnState.FAILED, "this engine insists on it"

    told = engine.calls[1].body
    assert told["structured_outputs"]["json"] == turn_schema(pack, [SAID], only=speakable(pack, {"thanks"}))
    assert told["messages"][: len(engine.calls[0].body["messages"])] == engine.calls[0].body["messages"]
    assert '"thanks"' in told["messages"][2]["content"], "what was said stays said"
    listed = await api.call("GET", "/sites/demo/templates", api.keys["agent"])
    assert "thanks" not in {each["id"] for each in listed.json()["data"]}


async def test_the_grammar_without_a_recalled_template_is_brought_to_the_replicas(
    api: Api, engine: ScriptedEngine, folder: Path
) -> None:
    opened, pack = await api.open(), api.services.packs.named("demo-shop")
    assert await answered(api, opened, "t1") == TurnState.DONE
    narrowed, before = turn_schema(pack, [OPENING], only=speakable(pack, {"thanks"})), len(engine.probes)
    recall(folder / "demo-shop", "thanks")
    salts: set[str] = set()
    async with asyncio.timeout(5):
        while len(salts) < 2:
            await asyncio.sleep(0.05)
            bodies = [probe.body for probe in engine.probes[before:] if "structured_outputs" in probe.body]
            salts = {body["cache_salt"] for body in bodies if body["structured_outputs"]["json"] == narrowed}
    assert salts == {cache_salt(api.services.secret, key, 0) for key in ("demo", "other")}


@pytest.mark.usefixtures("command_log")
async def test_the_command_lists_rolls_back_and_recalls(
    tmp_path: Path, folder: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings(tmp_path, packs_dir=folder)
    monkeypatch.setenv("PINDESK_VAR_DIR", str(tmp_path))

    async def command(*argv: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, argv)
        told = capsys.readouterr()
        return code, told.out + told.err

    async with serving(settings) as api:
        first = api.services.packs.named("demo-shop").version
    edit("Moon & Loom")
    async with serving(settings) as api:
        assert api.services.packs.named("demo-shop").version != first
        assert (await command("list"))[1].count("100 %") == 2
        assert await command("rollback", "demo-shop", first[:6]) == (
            0,
            f"new conversations on demo-shop begin with {first}\n",
        )
        await live(api, "Lumen & Loom")
        assert (await command("rollback", "demo-shop"))[0] == 1
        assert (await command("rollback", "demo-shop", "zzz"))[0] == 1
        assert (await command("recall", "thanks"))[0] == 0
        assert (await command("recall", "no_such_template"))[0] == 1
        assert (await command("recall", "unavailable"))[0] == 1
        listing = (await command("list", "demo-shop"))[1]
        assert "withdrawn" in listing
        assert "demo-shop  thanks  recalled" in listing
        assert (await command("restore", "thanks"))[0] == 0
        assert (await command("restore", "thanks"))[0] == 1
