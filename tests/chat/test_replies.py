"""What the API shows of replies, over a scripted replica: details, thumbs, pins, draining, the end of a process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from prompts import compact
from sessions import Server as OurServer
from sessions import Store, TurnState
from tests.chat.conftest import Api, Opened, listening, make_settings, serving
from tests.scripted_engine import Script, ScriptedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACK = {
    "action": "reply",
    "template": "track_order",
    "slots": {"order_id": "10234"},
    "demand": "Wants to know where order 10234 is.",
    "sentiment": "neutral",
    "action_reason": "answered",
}


def script(reply: dict[str, Any], **options: Any) -> Script:
    text = compact(reply)
    return Script([text[at : at + 8] for at in range(0, len(text), 8)], **options)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with ScriptedEngine() as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(engine: ScriptedEngine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    engine.always = script(TRACK, prompt_tokens=900, cached_tokens=832)
    async with serving(make_settings(tmp_path_factory.mktemp("var"), replicas=[engine.url])) as api:
        await api.services.replicas.wait_ready(20)
        yield api


async def answered(api: Api, one: Opened, text: str = "Where is my order 10234?") -> dict[str, Any]:
    """Post a turn and return the reply as the agent sees it, once all of it is there."""
    return next(message for message in (await seen(api, one, text))["messages"] if message["role"] == "assistant")


async def seen(api: Api, one: Opened, text: str, turn: str = "t1") -> dict[str, Any]:
    """Post a turn and return the conversation as the agent sees it, once all of the reply is there."""
    turn_id = (await api.post(one, text, turn)).json()["turn_id"]
    async with asyncio.timeout(20):
        while await state_of(api.services.store, turn_id) != TurnState.DONE:
            await asyncio.sleep(0.05)
    return (await api.call("GET", f"/agent{one.path}", api.keys["agent"])).json()


async def state_of(store: Store, turn_id: str) -> str:
    async with store.read() as repo:
        return (await repo.turns.get(OurServer(), turn_id)).state


async def test_agent_sees_how_a_reply_was_made(api: Api) -> None:
    reply = await answered(api, await api.open())
    assert (reply["action"], reply["template"]) == ("reply", "track_order")
    assert reply["slots"]["order_id"] == {"value": "10234", "source": "copied"}
    assert reply["slots"]["status"] == {"value": "shipped", "source": "fact"}
    assert reply["lookup"] == {"name": "order_status", "outcome": "found"}
    assert (reply["demand"], reply["sentiment"]) == (TRACK["demand"], "neutral")
    assert reply["action_reason"] == "answered"
    assert (reply["usage"]["prompt_tokens"], reply["usage"]["cached_tokens"]) == (900, 832)
    assert set(reply["usage"]) == {"prompt_tokens", "cached_tokens", "completion_tokens"}
    assert (reply["replica"], reply["placement"], reply["attempts"]) == ("r0", "placed", 1)
    assert len(reply["trace_id"]) == 32
    assert 0 < reply["ttfv_ms"] <= reply["total_ms"]


async def test_what_was_promised_twice_is_listed_once(api: Api) -> None:
    one = await api.open()
    first = await seen(api, one, "Where is my order 10234?")
    again = await seen(api, one, "And where is 10234 now?", "t2")
    assert [message["role"] for message in again["messages"]] == ["customer", "assistant"] * 2
    told = first["messages"][-1]
    assert again["messages"][-1]["content"] == told["content"]
    assert again["promises"] == first["promises"] == [{"seq": told["seq"], "text": told["content"]}]


async def test_queue_shows_the_demand(api: Api) -> None:
    one = await api.open()
    await answered(api, one)
    listed = (await api.call("GET", "/agent/conversations?limit=1", api.keys["agent"])).json()["data"]
    assert listed[0]["id"] == one.id
    assert (listed[0]["demand"], listed[0]["sentiment"]) == (TRACK["demand"], "neutral")


async def test_customer_sees_no_makings(api: Api) -> None:
    one = await api.open()
    await answered(api, one)
    listed = await api.call("GET", f"{one.path}/messages", one.token)
    assert TRACK["demand"] not in listed.text
    assert "replica" not in listed.text


async def test_thumbs_are_given_and_changed(api: Api) -> None:
    one, stranger = await api.open(), await api.open()
    path = f"/messages/{(await answered(api, one))['id']}/feedback"
    for value in ("up", "down"):
        answer = await api.call("POST", path, one.token, {"value": value})
        assert (answer.status_code, answer.json()) == (200, {"value": value})
    assert (await api.call("POST", path, stranger.token, {"value": "up"})).status_code == 404
    held = (await api.call("GET", f"{one.path}/export", one.token)).json()
    assert [thumb["value"] for thumb in held["feedback"]] == ["down"]


async def test_trace_reaches_from_the_turn_to_the_attempt(api: Api) -> None:
    one = await api.open()
    reply = await answered(api, one)
    trace = (await api.call("GET", f"/agent/turns/{reply['turn_id']}/trace", api.keys["agent"])).json()
    names = [span["name"] for span in trace["spans"]]
    assert names[0] == "turn"
    assert any(name.startswith("chat ") for name in names)
    assert "10234" not in str([span["attributes"] for span in trace["spans"]])


async def test_stopping_a_reply_that_is_done_takes_nothing_from_the_staff(api: Api, engine: ScriptedEngine) -> None:
    one = await api.open()
    text = compact(TRACK)
    head = text.index('},"demand"') + 1
    slow = Script([text[:head], text[head:-1], text[-1]], delay_s=0.6)
    engine.enqueue(slow)
    turn_id = (await api.post(one, "Where is my order 10234?")).json()["turn_id"]
    async with asyncio.timeout(10):
        while "reply.done" not in await api.kinds(one):
            await asyncio.sleep(0.02)
    assert (await api.call("POST", f"{one.path}/turns/{turn_id}/stop", one.token)).status_code == 200
    async with asyncio.timeout(10):
        while await state_of(api.services.store, turn_id) != TurnState.DONE:
            await asyncio.sleep(0.02)
    view = (await api.call("GET", f"/agent{one.path}", api.keys["agent"])).json()
    assert view["messages"][-1]["demand"] == TRACK["demand"]


async def test_pinned_conversations_are_counted(api: Api) -> None:
    async def pins() -> int:
        return (await api.call("GET", "/replicas", api.keys["operator"])).json()["data"][0]["pins"]

    before = await pins()
    await answered(api, await api.open())
    assert await pins() == before + 1


async def test_reply_that_runs_when_the_server_stops_is_finished(tmp_path: Path) -> None:
    async with ScriptedEngine() as engine:
        engine.always = script(TRACK, delay_s=0.08)
        settings = make_settings(tmp_path, replicas=[engine.url])
        async with listening(settings) as (api, server):
            await api.services.replicas.wait_ready(20)
            one = await api.open()
            turn_id = (await api.post(one, "Where is my order 10234?")).json()["turn_id"]
            async with asyncio.timeout(10):
                while not engine.calls:
                    await asyncio.sleep(0.02)
            server.should_exit = True
            async with asyncio.timeout(5):
                while (await api.client.get("/readyz")).status_code == 200:
                    await asyncio.sleep(0.02)
        store = Store(settings.database_url)
        assert await state_of(store, turn_id) == TurnState.DONE
        await store.close()


async def test_draining_is_shown_and_takes_nothing_away(api: Api) -> None:
    drained = await api.call("POST", "/replicas/r0/drain", api.keys["operator"])
    assert (drained.status_code, drained.json()["state"]) == (200, "draining")
    assert (await api.client.get("/readyz")).status_code == 200
    assert (await answered(api, await api.open()))["template"] == "track_order"
