"""Prefill before the question: only what is missing, only where nobody waits, at the lowest priority."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.placement import ReplicaState
from prompts import compact
from sessions import Server
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.scripted_engine import Call, Script, ScriptedEngine

REPLY = compact(
    {"action": "reply", "template": "thanks", "slots": {}, "demand": "-", "sentiment": "neutral",
     "action_reason": "answered"}
)  # fmt: skip
LONG = "My order came late and the box was open. " * 40


class Desk:
    """The application with two replicas, which answer every turn with thanks."""

    def __init__(self, api: Api, engines: dict[str, ScriptedEngine]) -> None:
        self.api, self.engines = api, engines

    async def answered(self, opened: Opened, turn: str = "t1", text: str = LONG) -> dict:
        """One turn, from its message to what the agent sees of the reply."""
        turn_id = (await self.api.post(opened, text, turn)).json()["turn_id"]
        async with asyncio.timeout(20):
            while True:
                async with self.api.services.store.read() as repo:
                    if (await repo.turns.get(Server(), turn_id)).state == "done":
                        break
                await asyncio.sleep(0.02)
        view = await self.api.call("GET", f"/agent/conversations/{opened.id}", self.api.keys["agent"])
        return next(m for m in view.json()["messages"] if m["turn_id"] == turn_id and m["role"] == "assistant")

    async def types(self, opened: Opened) -> None:
        answer = await self.api.call("POST", f"{opened.path}/typing", opened.token)
        assert answer.status_code == 200

    async def pin(self, opened: Opened) -> str | None:
        async with self.api.services.store.read() as repo:
            pin = (await repo.conversations.get(Server(), opened.id)).pin
        return pin and pin.replica

    async def until_ready(self) -> None:
        """Until both serve, each in its present boot."""
        async with asyncio.timeout(20):
            while not all(
                each.state is ReplicaState.READY and each.boot_id == self.engines[each.id].boot_id
                for each in self.api.services.replicas.snapshot()
            ):
                await asyncio.sleep(0.01)

    def prefills(self, replica: str) -> list[Call]:
        """Requests for one token that carry a conversation, and not only what it begins with."""
        return [call for call in self.engines[replica].probes if len(call.body["messages"]) > 2]

    def counted(self, outcome: str) -> float:
        return self.api.services.telemetry.metrics.prefills.labels(outcome)._value.get()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with ScriptedEngine() as first, ScriptedEngine() as second:
        for engine in (first, second):
            engine.always = Script([REPLY], prompt_tokens=2900, cached_tokens=1800)
        async with serving(make_settings(tmp_path, replicas=[first.url, second.url])) as api:
            desk = Desk(api, {"r0": first, "r1": second})
            await desk.until_ready()
            yield desk


async def until(desk: Desk, outcome: str) -> None:
    async with asyncio.timeout(10):
        while not desk.counted(outcome):
            await asyncio.sleep(0.01)


async def test_a_prefix_that_is_gone_is_computed_while_the_customer_types(desk: Desk) -> None:
    opened = await desk.api.open()
    home = (await desk.answered(opened))["replica"]
    await desk.engines[home].restart()
    await desk.until_ready()
    desk.api.services.think_time._looked_at.clear()
    await desk.types(opened)
    await until(desk, "prefilled")
    where = await desk.pin(opened)
    (prefill,) = desk.prefills(where)
    assert prefill.body["priority"] == 20
    told = await desk.answered(opened, "t2", "and now?")
    assert (told["replica"], told["placement"]) == (where, "cold")
    asked = desk.engines[where].calls[-1].body
    assert asked["messages"][: len(prefill.body["messages"])] == prefill.body["messages"]
    assert asked["cache_salt"] == prefill.body["cache_salt"]
    assert (await desk.answered(opened, "t3", "thanks"))["placement"] == "pinned"


async def test_what_is_there_is_not_computed_again(desk: Desk) -> None:
    opened = await desk.api.open()
    await desk.answered(opened)
    desk.api.services.think_time._looked_at.clear()
    await desk.types(opened)
    await until(desk, "warm")
    assert not desk.prefills("r0") and not desk.prefills("r1")


async def test_nothing_is_computed_ahead_where_customers_are_served(desk: Desk) -> None:
    opened = await desk.api.open()
    home = (await desk.answered(opened))["replica"]
    await desk.engines[home].restart()
    await desk.until_ready()
    replicas = desk.api.services.replicas
    with replicas.enter("r0"), replicas.enter("r1"):
        assert await desk.api.services.think_time.prepare(opened.id) == "busy"
    assert not desk.prefills("r0") and not desk.prefills("r1")


async def test_typing_is_looked_at_once_in_a_while_and_a_closed_conversation_never(desk: Desk) -> None:
    opened = await desk.api.open()
    think_time = desk.api.services.think_time
    for _ in range(5):
        think_time.expect(opened.id)
    assert len(think_time._tasks) == 1
    await desk.api.call("POST", f"{opened.path}/close", opened.token)
    assert await think_time.prepare(opened.id) == "failed"


async def test_a_drained_replica_is_emptied_between_the_turns(desk: Desk) -> None:
    opened = await desk.api.open()
    home = (await desk.answered(opened))["replica"]
    (other,) = {"r0", "r1"} - {home}
    drained = await desk.api.call("POST", f"/replicas/{home}/drain", desk.api.keys["operator"])
    assert drained.json()["state"] == "draining"
    async with asyncio.timeout(20):
        while await desk.pin(opened) != other:
            await asyncio.sleep(0.02)
    assert len(desk.prefills(other)) == 1
    seen = (await desk.api.call("GET", "/replicas", desk.api.keys["operator"])).json()["data"]
    assert [(each["pins"], each["inflight"]) for each in seen if each["id"] == home] == [(0, 0)]
    told = await desk.answered(opened, "t2", "and now?")
    assert (told["replica"], told["placement"]) == (other, "moved_drain")


async def test_every_process_drains_what_one_was_told_to_and_takes_it_back(desk: Desk, tmp_path: Path) -> None:
    urls = [engine.url for engine in desk.engines.values()]
    async with serving(make_settings(tmp_path, replicas=urls)) as second:
        for method, state in (("POST", ReplicaState.DRAINING), ("DELETE", ReplicaState.READY)):
            told = await desk.api.call(method, "/replicas/r0/drain", desk.api.keys["operator"])
            assert told.json()["state"] == state
            async with asyncio.timeout(20):
                while second.services.replicas.snapshot()[0].state is not state:
                    await asyncio.sleep(0.02)
