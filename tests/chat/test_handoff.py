"""From the bot to a human: asked for, called, offered once; and what is said when nobody is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from chat.presence import at_the_desk
from prompts import Notice, compact
from prompts.hours import Hours
from sessions import Scope, Staff
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.chat.turns.test_answering import Desk, pieces
from tests.scripted_engine import Script, ScriptedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with ScriptedEngine() as engine:
        settings = make_settings(tmp_path_factory.mktemp("var"), replicas=[engine.url])
        async with serving(settings) as api:
            await api.services.replicas.wait_ready(30)
            yield Desk(api, {"r0": engine})


@pytest.fixture
def desk(module_desk: Desk) -> Desk:
    for engine in module_desk.engines.values():
        engine.calls.clear()
    return module_desk


@asynccontextmanager
async def agent_there(api: Api, *sites: str) -> AsyncIterator[None]:
    """An agent has the queue open."""
    agent = Staff("Kim", frozenset({Scope.AGENT}), frozenset(sites) or None)
    async with at_the_desk(api.services, agent):
        while not await anybody(api):
            await asyncio.sleep(0.01)
        yield


async def anybody(api: Api) -> bool:
    async with api.services.store.read() as repo:
        return await repo.presence.anybody("demo") or await repo.presence.anybody("other")


async def said(api: Api, one: Opened) -> list[str]:
    """What the system said, in order."""
    listed = (await api.call("GET", f"{one.path}/messages", one.token)).json()["data"]
    return [message["content"] for message in listed if message["role"] == "system"]


async def handoffs(desk: Desk, one: Opened) -> list[dict[str, Any]]:
    services = desk.api.services
    async with services.store.read() as repo:
        events = await repo.events.list(services.keys.staff(desk.api.keys["agent"]), one.id)
    return [event.payload for event in events if event.kind == "handoff"]


def notice(api: Api, name: Notice) -> str:
    return api.services.packs.named("demo-shop").notice(name, "en").text


def open_always(api: Api, monkeypatch: pytest.MonkeyPatch, is_open: bool) -> None:
    monkeypatch.setattr(Hours, "are_open", lambda *_: is_open)


def mood(template: str, sentiment: str, action: str = "reply", slots: dict[str, Any] | None = None) -> Script:
    head = {"action": action, "template": template, "slots": slots or {}}
    return Script(pieces(compact(head | {"demand": "d", "sentiment": sentiment, "action_reason": "answered"})))


async def test_whoever_asks_is_passed_on_at_once_to_an_agent_who_is_there(desk: Desk) -> None:
    one = await desk.api.open()
    async with agent_there(desk.api):
        assert (await desk.api.call("POST", f"{one.path}/handoff", one.token)).json()["state"] == "waiting"
    assert await handoffs(desk, one) == [{"state": "waiting"}]
    assert await said(desk.api, one) == [notice(desk.api, Notice.HANDOFF_REQUESTED)]


@pytest.mark.parametrize(("is_open", "why"), [(True, "nobody"), (False, "closed")])
async def test_customer_is_told_that_nobody_is_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_open: bool, why: str
) -> None:
    open_always(desk.api, monkeypatch, is_open)
    one = await desk.api.open()
    await desk.api.call("POST", f"{one.path}/handoff", one.token)
    assert await handoffs(desk, one) == [{"state": "waiting", "away": why}]
    assert await said(desk.api, one) == [notice(desk.api, Notice.HANDOFF_AWAY)]
    await desk.api.call("POST", f"{one.path}/handoff", one.token)
    assert len(await said(desk.api, one)) == 1


async def test_agent_of_another_site_is_nobody_here(desk: Desk) -> None:
    one = await desk.api.open()
    async with agent_there(desk.api, "other"):
        await desk.api.call("POST", f"{one.path}/handoff", one.token)
    assert "away" in (await handoffs(desk, one))[0]


async def test_agent_is_gone_when_the_queue_is_closed(desk: Desk) -> None:
    async with agent_there(desk.api):
        assert await anybody(desk.api)
    assert not await anybody(desk.api)


async def test_bot_that_calls_a_human_says_when_none_is_there(desk: Desk) -> None:
    one = await desk.api.open()
    desk.everywhere(mood("contact_human_agent", "neutral", "handoff"))
    await desk.settled(await desk.say(one, "I want to talk to a person"))
    assert "away" in (await handoffs(desk, one))[0]
    assert await said(desk.api, one) == [notice(desk.api, Notice.HANDOFF_AWAY)]


async def test_message_that_is_left_waits_for_an_agent_and_not_for_the_bot(desk: Desk) -> None:
    one = await desk.api.open()
    await desk.api.call("POST", f"{one.path}/handoff", one.token)
    left = {"text": "Please call me about 10234.", "contact": "+44 20 7946 0000"}
    answer = await desk.api.call("POST", f"{one.path}/leave", one.token, left)
    assert (answer.status_code, answer.json()["role"], answer.json()["turn_id"]) == (200, "customer", None)
    assert (await said(desk.api, one))[-1] == notice(desk.api, Notice.MESSAGE_LEFT)
    assert not desk.home
    view = (await desk.api.call("GET", f"/agent{one.path}", desk.api.keys["agent"])).json()
    assert (view["state"], view["contact"]) == ("waiting", "+44 20 7946 0000")
    listed = (await desk.api.call("GET", "/agent/conversations?state=waiting", desk.api.keys["agent"])).json()["data"]
    assert (listed[0]["last_words"], listed[0]["contact"]) == (left["text"], left["contact"])
    assert listed[0]["waiting_since"]


async def test_message_can_be_left_by_quick_reply_on_any_surface(desk: Desk) -> None:
    one = await desk.api.open()
    await desk.api.call("POST", f"{one.path}/handoff", one.token)
    asked = (await desk.lines(one))[-1]
    assert asked["quick_replies"] == ["Leave a message"]
    await desk.say(one, "Leave a message", "t1")
    await desk.say(one, "My lamp is broken, write to sam@example.com", "t2")
    assert (await said(desk.api, one))[1:] == [
        notice(desk.api, Notice.MESSAGE_WANTED),
        notice(desk.api, Notice.MESSAGE_LEFT),
    ]
    assert not desk.home
    view = (await desk.api.call("GET", f"/agent{one.path}", desk.api.keys["agent"])).json()
    assert (view["state"], view["contact"]) == ("waiting", "sam@example.com")
    desk.everywhere(mood("check_payment_methods", "neutral"))
    await desk.settled(await desk.say(one, "By the way, how can I pay?", "t3"))
    assert len(desk.home) == 1


async def test_left_message_is_read_by_the_bot_later(desk: Desk) -> None:
    one = await desk.api.open()
    await desk.api.call("POST", f"{one.path}/leave", one.token, {"text": "My order is 10234."})
    desk.everywhere(mood("track_order", "neutral", slots={"order_id": "10234"}))
    await desk.settled(await desk.say(one, "Where is it?"))
    (engine,) = desk.home
    assert engine.calls[0].body["messages"][-1]["content"] == "My order is 10234.\nWhere is it?"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"text": "x", "contact": "x" * 201}, "contact"),
        ({}, "text"),
    ],
)
async def test_left_messages_are_measured(desk: Desk, body: dict[str, str], field: str) -> None:
    one = await desk.api.open()
    answer = await desk.api.call("POST", f"{one.path}/leave", one.token, body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_anger_is_offered_a_human_once(desk: Desk) -> None:
    one = await desk.api.open()
    for number in range(3):
        desk.everywhere(mood("complaint", "angry"))
        await desk.settled(await desk.say(one, f"This is a disgrace {number}", f"t{number}"))
    assert await said(desk.api, one) == [notice(desk.api, Notice.HANDOFF_OFFER)]
    offer = next(line for line in await desk.lines(one) if line["role"] == "system")
    assert offer["quick_replies"] == ["Talk to a human"]
    registry = desk.api.services.telemetry.metrics.registry
    assert registry.get_sample_value("pindesk_handoff_offers_total", {"reason": "anger"}) == 1


async def test_a_human_is_offered_once_the_same_words_come_again(desk: Desk) -> None:
    one = await desk.api.open()
    offered = []
    for turn, number in enumerate((None, "10233", "10234", "10234")):
        desk.everywhere(mood("cancel_order", "neutral", slots={"order_id": number}))
        await desk.settled(await desk.say(one, f"order {number}, what now?", f"t{turn}"))
        offered.append(len(await said(desk.api, one)))
    assert offered == [0, 0, 0, 1]


async def test_answer_to_the_offer_needs_no_model(desk: Desk) -> None:
    one = await desk.api.open()
    async with agent_there(desk.api):
        await desk.say(one, "Talk to a human")
    assert not desk.home
    assert await handoffs(desk, one) == [{"state": "waiting"}]
    services = desk.api.services
    async with services.store.read() as repo:
        events = await repo.events.list(services.keys.staff(desk.api.keys["agent"]), one.id)
    stopped = next(event for event in events if event.kind == "turn.stopped")
    assert stopped.payload["reason"] == "handoff"
    await desk.say(one, "Talk to a human")
    assert len(await handoffs(desk, one)) == 1
