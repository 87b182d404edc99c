"""A turn's tree, from the store to the engine, as an agent gets it by the API."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.client import Customer
from chat.turns.afterwards import ON_THEIR_WAY
from sessions import Server, TurnState
from telemetry.explain import parts
from telemetry.names import (
    ATTEMPT,
    ATTEMPT_OUTCOME,
    CONVERSATION_ID,
    ERROR_TYPE,
    INVALID_REASON,
    MASK_KINDS,
    PLACEMENT,
    REPLICA,
    TURN_OUTCOME,
    AttemptOutcome,
    is_chat_span,
)
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.scripted_engine import Fault, Script, ScriptedEngine
from tests.system import System
from tests.telemetry.spans import TRACE_ID, Replica

CANARY = "my card is 4111 1111 1111 1111, order 10234"
OWN_SPANS = 8
ENDED = {TurnState.DONE, TurnState.STOPPED, TurnState.FAILED}
REPLY = json.dumps(
    {
        "action": "reply",
        "template": "cancel_order",
        "slots": {"order_id": "10234"},
        "demand": "wants to cancel order 10234",
        "sentiment": "neutral",
        "action_reason": "answered",
    },
    separators=(",", ":"),
)
GOOD = Script([REPLY[start : start + 20] for start in range(0, len(REPLY), 20)])


@dataclass
class Turn:
    """A turn on the application under test."""

    api: Api
    conversation: Opened
    id: str

    @classmethod
    async def post(cls, api: Api, text: str = CANARY, **headers: str) -> "Turn":
        conversation = await api.open()
        path = f"/conversations/{conversation.id}/turns"
        body = {"text": text, "client_turn_id": "first"}
        answer = await api.call("POST", path, conversation.token, body, **headers)
        assert answer.status_code == 202, answer.text
        return cls(api, conversation, answer.json()["turn_id"])

    async def ended(self) -> TurnState:
        """Wait until nobody works on it any more."""
        async with asyncio.timeout(15):
            while True:
                async with self.api.services.store.read() as repo:
                    turn = await repo.turns.get(Server(), self.id)
                if turn.state in ENDED and not self.api.services.runner.running:
                    return turn.state
                await asyncio.sleep(0.02)

    async def asked(self, engine: ScriptedEngine) -> None:
        """Wait until the engine has its first request."""
        async with asyncio.timeout(10):
            while not engine.calls:
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        path = f"/conversations/{self.conversation.id}/turns/{self.id}/stop"
        assert (await self.api.call("POST", path, self.conversation.token)).status_code == 200

    async def trace(self) -> dict[str, Any]:
        answer = await self.api.call("GET", f"/agent/turns/{self.id}/trace", self.api.keys["agent"])
        assert answer.status_code == 200, answer.text
        return answer.json()


def named(tree: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [node for node in tree["spans"] if node["name"] == name]


def attempts(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """The attempts' spans in order."""
    found = [node for node in tree["spans"] if is_chat_span(node["name"])]
    return sorted(found, key=lambda node: node["attributes"][ATTEMPT])


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with ScriptedEngine() as engine:
        yield engine


@pytest.fixture
async def api(tmp_path: Path, engine: ScriptedEngine) -> AsyncIterator[Api]:
    """The application on one scripted replica, ready."""
    async with serving(make_settings(tmp_path, replicas=[engine.url])) as api:
        await api.services.replicas.wait_ready(10)
        yield api


async def answered(engine: ScriptedEngine, api: Api) -> None:
    """Send the span that a real engine sends for its last generation."""
    replica = Replica(api.services.telemetry.receiver.port, "replica-0")
    header = {name.lower(): value for name, value in engine.calls[-1].headers.items()}["traceparent"]
    await asyncio.to_thread(replica.answer, header, gen_ai_prompt=CANARY)
    replica.close()


async def test_a_turns_tree_is_whole_within_a_second_of_the_reply(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api)
    assert await turn.ended() == TurnState.DONE
    started = time.monotonic()
    await answered(engine, api)

    tree = await turn.trace()

    assert tree["complete"]
    assert time.monotonic() - started < 1
    assert {"turn", "store", "assemble", "route", "llm_request"} <= {node["name"] for node in tree["spans"]}
    (root,), (route,), (attempt,) = named(tree, "turn"), named(tree, "route"), attempts(tree)
    assert (root["parent_id"], root["attributes"][TURN_OUTCOME]) == (None, "done")
    assert route["attributes"][PLACEMENT] == "placed"
    assert attempt["attributes"][REPLICA] == route["attributes"][REPLICA]
    assert attempt["attributes"][ATTEMPT_OUTCOME] == AttemptOutcome.FINISHED
    assert named(tree, "llm_request")[0]["parent_id"] == attempt["span_id"]


async def test_a_turn_that_is_stopped_before_anybody_answers_it_has_its_tree(tmp_path: Path) -> None:
    async with serving(make_settings(tmp_path, replicas=["http://127.0.0.1:9"])) as api:
        await api.services.runner.stop(0)
        turn = await Turn.post(api)
        await turn.stop()
        stopped = await turn.trace()

    assert stopped["complete"]
    assert [node["name"] for node in stopped["spans"]] == ["turn"]
    assert stopped["spans"][0]["attributes"][TURN_OUTCOME] == "stopped"
    assert stopped["spans"][0]["end_ns"] >= stopped["spans"][0]["start_ns"]
    (waited,) = [part for part in parts(stopped, stopped["spans"][0]) if part.ms]
    assert waited.name == "queue for a server"


async def test_a_turn_whose_server_died_right_behind_its_end_gets_its_tree_at_the_next_start(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    """A killed server takes with it the spans of its last fifth of a second."""
    settings = make_settings(tmp_path, replicas=[engine.url])
    engine.enqueue(GOOD)
    async with serving(settings) as api:
        await api.services.replicas.wait_ready(10)
        turn = await Turn.post(api)
        await turn.ended()
        async with api.services.store.read() as repo:
            row = await repo.turns.get(Server(), turn.id)
        await api.services.telemetry.forget([row.trace_id])
        await answered(engine, api)
        assert not (await turn.trace())["spans"], "the engine's span hangs below nothing that is known"
        await asyncio.sleep(ON_THEIR_WAY.total_seconds())
    async with serving(settings) as api:
        turn = replace(turn, api=api)
        async with asyncio.timeout(10):
            while not (tree := await turn.trace())["spans"]:
                await asyncio.sleep(0.02)

    (root,), (attempt,), (of_engine,) = named(tree, "turn"), attempts(tree), named(tree, "llm_request")
    assert tree["complete"]
    assert root["attributes"][TURN_OUTCOME] == "done"
    assert root["end_ns"] - root["start_ns"] == pytest.approx(row.total_ms * 1e6, abs=1e3)
    assert attempt["attributes"][ATTEMPT_OUTCOME] == AttemptOutcome.LOST
    assert of_engine["parent_id"] == attempt["span_id"]


async def test_the_moments_of_a_turn_are_on_its_spans_in_their_order(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api)
    await turn.ended()

    tree = await turn.trace()

    (root,), (attempt,) = named(tree, "turn"), attempts(tree)
    moments = {node["span_id"]: [event["name"] for event in node["events"]] for node in (root, attempt)}
    assert moments[root["span_id"]] == ["claimed", "mask", "first_text", "reply_done"]
    assert moments[attempt["span_id"]] == [
        "request",
        "first_token",
        "template_known",
        "validated",
        "rendered",
    ]
    assert root["events"][1]["attributes"] == {MASK_KINDS: ["card"]}
    assert root["start_ns"] <= root["events"][0]["time_ns"] <= attempt["start_ns"] <= attempt["events"][0]["time_ns"]


async def test_a_refused_reply_is_a_moment_of_its_turn(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(Script(['{"action":"dance"}']), GOOD)
    turn = await Turn.post(api)
    await turn.ended()

    (root,) = named(await turn.trace(), "turn")

    assert [event["attributes"] for event in root["events"] if event["name"] == "invalid_reply"] == [
        {INVALID_REASON: "invalid"}
    ]


async def test_a_turn_that_an_agent_takes_over_in_mid_reply_has_one_root(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(Script(GOOD.pieces[:2], fault=Fault.HANG))
    turn = await Turn.post(api)
    await turn.asked(engine)
    path = f"/agent/conversations/{turn.conversation.id}/takeover"
    assert (await api.call("POST", path, api.keys["agent"])).status_code == 200
    assert await turn.ended() == TurnState.STOPPED

    tree = await turn.trace()

    assert tree["complete"]
    (root,) = named(tree, "turn")
    assert root["attributes"][TURN_OUTCOME] == "stopped"
    assert attempts(tree)[0]["parent_id"] == root["span_id"]


async def test_an_agent_is_told_in_words_where_a_turns_time_went(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api)
    await turn.ended()
    await answered(engine, api)

    answer = await api.call("GET", f"/agent/turns/{turn.id}/explanation", api.keys["agent"])
    foreign = await api.call("GET", f"/agent/turns/{turn.id}/explanation", turn.conversation.token)

    told = answer.json()["sentences"]
    assert told[0].startswith("done after ") and "placed: the conversation began on r0" in told[1]
    assert "queue 12 ms" in told[1] and told[-1].startswith("where the time went: ")
    assert foreign.status_code in (401, 403, 404)


async def test_few_spans_each_with_the_conversation_and_none_with_text(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api)
    await turn.ended()
    await answered(engine, api)

    tree = await turn.trace()

    own = [node for node in tree["spans"] if node["service"] == "web"]
    assert len(own) <= OWN_SPANS
    assert {node["attributes"].get(CONVERSATION_ID) for node in own} == {turn.conversation.id}
    assert CANARY not in json.dumps(tree)
    assert "10234" not in json.dumps([[node["attributes"], node["events"]] for node in tree["spans"]])


async def test_each_attempt_has_a_span_and_the_engines_hangs_under_the_right_one(
    api: Api, engine: ScriptedEngine
) -> None:
    engine.enqueue(Script(GOOD.pieces[:2], fault=Fault.ERROR), Script(['{"action":"dance"}']), GOOD)
    turn = await Turn.post(api)
    assert await turn.ended() == TurnState.DONE
    await answered(engine, api)

    tree = await turn.trace()

    outcomes = [(node["attributes"][ATTEMPT], node["attributes"][ATTEMPT_OUTCOME]) for node in attempts(tree)]
    assert tree["complete"]
    assert outcomes == [(1, AttemptOutcome.FAILED), (2, AttemptOutcome.FAILED), (3, AttemptOutcome.FINISHED)]
    assert all(node["attributes"][ERROR_TYPE] for node in attempts(tree)[:2])
    assert named(tree, "llm_request")[0]["parent_id"] == attempts(tree)[2]["span_id"]


async def test_a_stopped_turn_has_a_tree(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(Script(GOOD.pieces[:2], fault=Fault.HANG))
    turn = await Turn.post(api)
    await turn.asked(engine)
    await turn.stop()
    assert await turn.ended() == TurnState.STOPPED

    tree = await turn.trace()

    assert tree["complete"]
    assert named(tree, "turn")[0]["attributes"][TURN_OUTCOME] == "stopped"
    assert [node["attributes"][ATTEMPT_OUTCOME] for node in attempts(tree)] == [AttemptOutcome.STOPPED]


async def test_a_turn_that_is_stopped_again_while_its_stop_is_stored_has_a_tree(
    api: Api, engine: ScriptedEngine
) -> None:
    """The customer's call stops it, and so does the next renewal of its lease."""
    engine.enqueue(Script(GOOD.pieces[:2], fault=Fault.HANG))
    turn = await Turn.post(api)
    await turn.asked(engine)
    while api.services.runner.running:
        api.services.runner.stop_turn(turn.id)
        await asyncio.sleep(0)
    assert await turn.ended() == TurnState.STOPPED

    tree = await turn.trace()

    assert tree["complete"]
    assert named(tree, "turn")[0]["attributes"][TURN_OUTCOME] == "stopped"


async def test_a_failed_turn_has_a_tree(api: Api, engine: ScriptedEngine) -> None:
    engine.always = Script(fault=Fault.CRASHED)
    turn = await Turn.post(api)
    assert await turn.ended() == TurnState.FAILED

    tree = await turn.trace()

    (root,) = named(tree, "turn")
    assert tree["complete"]
    assert root["attributes"][TURN_OUTCOME] == "failed"
    assert root["attributes"][ERROR_TYPE]
    assert {node["attributes"][ATTEMPT_OUTCOME] for node in attempts(tree)} == {AttemptOutcome.FAILED}


async def test_two_turns_that_a_page_put_into_one_trace_stay_apart(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD, GOOD)
    header = f"00-{TRACE_ID}-b7ad6b7169203331-01"
    turns = [await Turn.post(api, traceparent=header), await Turn.post(api, traceparent=header)]
    for turn in turns:
        await turn.ended()

    trees = [await turn.trace() for turn in turns]

    assert [len(named(tree, "turn")) for tree in trees] == [1, 1]
    assert not {node["span_id"] for node in trees[0]["spans"]} & {node["span_id"] for node in trees[1]["spans"]}
    assert TRACE_ID in str(engine.calls[0].headers)


async def test_a_header_that_is_none_starts_a_trace(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api, traceparent=f"00-{'0' * 32}-b7ad6b7169203331-01")
    await turn.ended()
    await answered(engine, api)

    assert (await turn.trace())["complete"]


async def test_another_sites_agent_sees_no_trace(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api)
    await turn.ended()

    answers = [
        await api.call("GET", f"/agent/turns/{turn.id}/trace", credential)
        for credential in (api.keys["other agent"], turn.conversation.token, None)
    ]

    assert answers[0].status_code == 404
    assert all(answer.status_code in (401, 403, 404) for answer in answers[1:])


async def test_a_deleted_conversations_trace_is_gone(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(GOOD)
    turn = await Turn.post(api)
    await turn.ended()
    async with api.services.store.read() as repo:
        trace_id = (await repo.turns.get(Server(), turn.id)).trace_id

    await api.call("DELETE", f"/conversations/{turn.conversation.id}", turn.conversation.token)

    assert (await api.services.telemetry.trace(trace_id, wait_s=0))["spans"] == []


async def test_the_turn_is_counted(api: Api, engine: ScriptedEngine) -> None:
    engine.enqueue(Script(GOOD.pieces, prompt_tokens=900, cached_tokens=864))
    await (await Turn.post(api)).ended()

    figures = api.services.telemetry.metrics.render().decode().splitlines()

    assert 'pindesk_turns_total{outcome="done"} 1.0' in figures
    assert "pindesk_prompt_tokens_total 900.0" in figures
    assert "pindesk_cached_prompt_tokens_total 864.0" in figures
    assert not any(line.startswith("pindesk_dropped_spans_total{") for line in figures)


@pytest.mark.engine
async def test_vllm_hangs_its_own_span_under_the_attempt(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.url, timeout=60) as http:
        heard = await (await Customer.open(http)).ask("I want to cancel my order 10234")
        assert heard.ended == "reply.done"
        await asyncio.sleep(0.5)
        staff = {"Authorization": f"Bearer {system.keys.agent}"}
        tree = (await http.get(f"/api/v1/agent/turns/{heard.turn_id}/trace", headers=staff)).json()

    (engine_span,), last = named(tree, "llm_request"), attempts(tree)[-1]
    assert tree["complete"]
    assert (engine_span["parent_id"], engine_span["service"]) == (last["span_id"], last["attributes"][REPLICA])
    assert engine_span["attributes"]["gen_ai.usage.prompt_tokens"] > 0
    assert last["start_ns"] < engine_span["start_ns"] < engine_span["end_ns"]
