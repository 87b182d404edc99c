"""The way of a turn over the real application, with replicas that fail as they are told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from prompts import compact
from sessions import Claim, Customer, Event, EventKind, Server, TurnState
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.schemas import slots_of
from tests.scripted_engine import Fault, Script, ScriptedEngine

QUICK = {"first_token_timeout": "700ms", "stall_timeout": "500ms", "flush_interval": "20ms", "lease": "2s"}
ENDS = (EventKind.REPLY_DONE, EventKind.TURN_STOPPED, EventKind.TURN_FAILED)
CANCEL = {"order_id": "10234"}


def reply(template: str, slots: dict[str, str | None] | None = None, action: str = "reply") -> str:
    """A whole reply in the engine's bytes."""
    head = {"action": action, "template": template, "slots": slots or {}}
    return compact(head | {"demand": "Wants help.", "sentiment": "neutral", "action_reason": "answered"})


def pieces(text: str, size: int = 9) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def script(template: str, slots: dict[str, str | None] | None = None, action: str = "reply", **options: Any) -> Script:
    return Script(pieces(reply(template, slots, action)), **options)


def until(text: str, end: str) -> list[str]:
    """The pieces of a reply that breaks off behind `end`."""
    return pieces(text[: text.index(end) + len(end)])


@dataclass
class Desk:
    """The application, its scripted replicas by id, and what a customer does."""

    api: Api
    engines: dict[str, ScriptedEngine] = field(default_factory=dict)

    async def say(self, opened: Opened, text: str, turn: str = "t1") -> str:
        """Post a turn; its id."""
        body = {"text": text, "client_turn_id": turn}
        answer = await self.api.call("POST", f"/conversations/{opened.id}/turns", opened.token, body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()["turn_id"]

    async def heard(self, opened: Opened, turns: int = 1, within_s: float = 10) -> list[Event]:
        """The customer's events until so many turns have ended."""
        events: list[Event] = []
        feed = self.api.services.store.feed.tail(Customer(frozenset({opened.id})), opened.id)
        async with asyncio.timeout(within_s):
            async for event in feed:
                events.append(event)
                if sum(each.kind in ENDS for each in events) == turns:
                    break
        await feed.aclose()
        return events

    async def settled(self, turn_id: str) -> dict[str, Any]:
        """The agent's view of the reply to a turn, once it has been annotated."""
        async with asyncio.timeout(10):
            while (turn := await self._turn(turn_id)).state != TurnState.DONE:
                await asyncio.sleep(0.02)
        view = await self.api.call("GET", f"/agent/conversations/{turn.conversation_id}", self.api.keys["agent"])
        return next(m for m in view.json()["messages"] if m["turn_id"] == turn_id and m["role"] == "assistant")

    async def lines(self, opened: Opened) -> list[dict[str, Any]]:
        return (await self.api.call("GET", f"/conversations/{opened.id}/messages", opened.token)).json()["data"]

    async def asked(self) -> ScriptedEngine:
        """The replica that was asked first."""
        async with asyncio.timeout(5):
            while not self.home:
                await asyncio.sleep(0.005)
        return self.home[0]

    async def then_elsewhere(self, *scripts: Script) -> None:
        """What the replicas do that were not asked first."""
        first = await self.asked()
        for engine in self.engines.values():
            if engine is not first:
                engine.clear()
                engine.enqueue(*scripts)

    def in_turn(self, *scripts: Script) -> None:
        """What each attempt meets, whichever replica it goes to."""
        shared = deque(scripts)
        for engine in self.engines.values():
            engine.share(shared)

    def everywhere(self, *scripts: Script) -> None:
        """The same scripts on every replica, whichever is asked first."""
        for engine in self.engines.values():
            engine.enqueue(*scripts)

    @property
    def home(self) -> list[ScriptedEngine]:
        """The replicas that were asked."""
        return [engine for engine in self.engines.values() if engine.calls]

    async def _turn(self, turn_id: str) -> Any:
        async with self.api.services.store.read() as repo:
            return await repo.turns.get(Server(), turn_id)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with ScriptedEngine() as first, ScriptedEngine() as second:
        settings = make_settings(tmp_path, replicas=[first.url, second.url], **QUICK)
        async with serving(settings) as api:
            await api.services.replicas.wait_ready(10)
            yield Desk(api, {"r0": first, "r1": second})


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events]


def shown(events: Sequence[Event]) -> str:
    """What a surface shows after these events of one turn."""
    text = ""
    for event in events:
        match event.kind:
            case EventKind.REPLY_DELTA:
                text += event.payload["text"]
            case EventKind.REPLY_RESET:
                text = ""
            case EventKind.REPLY_DONE:
                text = event.payload["message"]["content"]
    return text


async def test_a_reply_streams_and_is_stored_with_all_that_is_known_of_it(desk: Desk) -> None:
    desk.everywhere(script("cancel_order", CANCEL, delay_s=0.02, prompt_tokens=900, cached_tokens=832))
    opened = await desk.api.open()
    turn_id = await desk.say(opened, "please cancel order 10234")
    events = await desk.heard(opened)
    assert kinds(events)[0] == EventKind.TURN_STARTED and kinds(events)[-1] == EventKind.REPLY_DONE
    assert "10234" in events[-1].payload["message"]["content"] and events[-1].payload["message"]["quick_replies"]
    told = await desk.settled(turn_id)
    assert (told["action"], told["template"]) == ("reply", "cancel_order")
    assert told["slots"] == {"order_id": {"value": "10234", "source": "copied"}}
    assert (told["usage"]["prompt_tokens"], told["usage"]["cached_tokens"]) == (900, 832)
    assert (told["demand"], told["sentiment"], told["action_reason"]) == ("Wants help.", "neutral", "answered")
    assert told["placement"] == "placed" and told["replica"] in desk.engines and told["attempts"] == 1


async def test_visible_text_only_grows_and_leaves_no_rows_behind(desk: Desk) -> None:
    desk.everywhere(script("cancel_order", CANCEL, delay_s=0.03))
    opened = await desk.api.open()
    await desk.say(opened, "please cancel order 10234")
    events = await desk.heard(opened)
    texts = [shown(events[:end]) for end in range(1, len(events))]
    assert any(texts) and all(shown(events).startswith(text) for text in texts)
    async with desk.api.services.store.read() as repo:
        kept, _ = await repo.events.page(Server(), opened.id, after=0, limit=100)
    assert EventKind.REPLY_DELTA not in kinds(kept)


async def test_the_request_is_guided_salted_and_prioritised(desk: Desk) -> None:
    desk.everywhere(script("greeting", {"name": None}))
    opened = await desk.api.open()
    await desk.say(opened, "hello")
    await desk.heard(opened)
    (call,) = desk.home[0].calls
    assert "anyOf" in call.body["structured_outputs"]["json"]
    assert len(call.body["cache_salt"]) == 43 and call.body["priority"] == 0
    assert call.headers["traceparent"].startswith("00-")


async def test_a_conversation_stays_where_it_began_and_its_prompt_only_grows(desk: Desk) -> None:
    answers = [reply("greeting", {"name": None}), reply("thanks"), reply("goodbye")]
    desk.everywhere(*(Script(pieces(answer)) for answer in answers))
    opened = await desk.api.open()
    for turn, text in enumerate(("hello", "thanks a lot", "bye"), start=1):
        await desk.settled(await desk.say(opened, text, f"t{turn}"))
    (home,) = desk.home
    prompts = [call.body["messages"] for call in home.calls]
    assert len(prompts) == 3
    for earlier, later, answer in zip(prompts, prompts[1:], answers, strict=False):
        assert later[: len(earlier) + 1] == [*earlier, {"role": "assistant", "content": answer}]


HALF = until(reply("cancel_order", CANCEL), "cancel_order")
BROKEN = {
    "busy": Script(fault=Fault.BUSY),
    "crashed": Script(fault=Fault.CRASHED),
    "silent": Script(fault=Fault.SILENT),
    "truncated": Script(HALF, Fault.TRUNCATE),
    "ended": Script(HALF, Fault.END),
    "aborted": Script(HALF, Fault.ABORT),
    "stalled": Script(HALF, Fault.HANG),
    "error": Script(HALF, Fault.ERROR),
    "garbage": Script(HALF, Fault.GARBAGE),
    "not json": Script(["Sure, I will do that"]),
    "cut by the token limit": Script(until(reply("cancel_order", CANCEL), "10234"), finish_reason="length"),
    "hidden template": script("unavailable"),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_attempt_is_repeated_elsewhere_and_the_customer_sees_one_reply(desk: Desk, fault: str) -> None:
    desk.in_turn(BROKEN[fault], script("cancel_order", CANCEL))
    opened = await desk.api.open()
    turn_id = await desk.say(opened, "please cancel order 10234")
    events = await desk.heard(opened)
    assert kinds(events).count(EventKind.REPLY_DONE) == 1 and EventKind.REPLY_RESET not in kinds(events)
    told = await desk.settled(turn_id)
    assert told["attempts"] == 2 and told["template"] == "cancel_order"
    assert [len(engine.calls) for engine in desk.engines.values()] == [1, 1]


async def test_the_pin_moves_with_a_failover_and_does_not_return_to_a_cold_replica(desk: Desk) -> None:
    desk.everywhere(script("greeting", {"name": None}))
    opened = await desk.api.open()
    home = (await desk.settled(await desk.say(opened, "hello")))["replica"]
    (other,) = {"r0", "r1"} - {home}
    await desk.engines[home].stop()
    await desk.then_elsewhere(script("thanks"), script("thanks"))
    moved = await desk.settled(await desk.say(opened, "thanks", "t2"))
    assert (moved["replica"], moved["placement"]) == (other, "failover")
    await desk.engines[home].restart()
    stayed = await desk.settled(await desk.say(opened, "thanks", "t3"))
    assert (stayed["replica"], stayed["placement"]) == (other, "pinned")


async def test_text_that_does_not_continue_what_was_shown_costs_one_reset(desk: Desk) -> None:
    hung = Script(until(reply("check_payment_methods"), '"slots"'), Fault.HANG)
    desk.in_turn(hung, script("cancel_order", CANCEL, delay_s=0.03))
    opened = await desk.api.open()
    await desk.say(opened, "how can I pay, or cancel 10234?")
    events = await desk.heard(opened)
    assert kinds(events).count(EventKind.REPLY_RESET) == 1
    before = events[: kinds(events).index(EventKind.REPLY_RESET)]
    assert shown(before).startswith("You can pay") and "10234" in shown(events)


async def test_an_ungrounded_copy_is_never_shown_and_cannot_be_repeated(desk: Desk) -> None:
    desk.everywhere(script("cancel_order", {"order_id": "99999"}), script("cancel_order", CANCEL))
    opened = await desk.api.open()
    turn_id = await desk.say(opened, "please cancel order 10234")
    events = await desk.heard(opened)
    assert "99999" not in json.dumps([event.payload for event in events])
    assert (await desk.settled(turn_id))["slots"]["order_id"]["value"] == "10234"
    first, second = (slots_of(call.body["structured_outputs"]["json"]) for call in desk.home[0].calls)
    assert first["cancel_order"]["order_id"] == second["cancel_order"]["order_id"] == ["10234", None]


async def test_a_second_attempt_leaves_empty_what_cannot_be_listed(desk: Desk) -> None:
    desk.everywhere(script("review", {"product": "teapot"}), script("review", {"product": None}))
    opened = await desk.api.open()
    assert (await desk.settled(await desk.say(opened, "我想评价台灯")))["template"] == "review"
    first, second = (slots_of(call.body["structured_outputs"]["json"]) for call in desk.home[0].calls)
    assert first["review"]["product"] is None
    assert second["review"]["product"] == [None]


async def test_the_grammar_of_a_conversation_changes_only_with_what_its_customer_writes(desk: Desk) -> None:
    desk.everywhere(*[script("thanks")] * 4)
    opened = await desk.api.open()
    for turn, text in enumerate(["order 10234", "10234!", "it is about a lamp", "a lamp"]):
        await desk.settled(await desk.say(opened, text, f"t{turn}"))
    calls = sorted((call.body for engine in desk.home for call in engine.calls), key=lambda body: len(body["messages"]))
    sent = [json.dumps(body["structured_outputs"]) for body in calls]
    assert sent[0] == sent[1] != sent[2] == sent[3]


@pytest.mark.parametrize(
    ("order", "outcome", "template"),
    [("10234", "found", "track_order"), ("77777", "not_found", "order_not_found")],
)
async def test_facts_come_from_the_order_book(desk: Desk, order: str, outcome: str, template: str) -> None:
    desk.everywhere(script("track_order", {"order_id": order}, delay_s=0.01))
    opened = await desk.api.open()
    turn_id = await desk.say(opened, f"where is my order {order}?")
    events = await desk.heard(opened)
    told = await desk.settled(turn_id)
    assert told["lookup"] == {"name": "order_status", "outcome": outcome}
    assert told["template"] == template and order in shown(events)


async def test_a_reply_whose_annotation_is_cut_stands_and_is_replayed_whole(desk: Desk) -> None:
    desk.everywhere(Script(until(reply("thanks"), '"slots":{}'), Fault.TRUNCATE))
    opened = await desk.api.open()
    told = await desk.settled(await desk.say(opened, "thank you"))
    assert told["template"] == "thanks" and told["demand"] is None and told["attempts"] == 1
    async with desk.api.services.store.read() as repo:
        replayed = await repo.turns.history(await _further_claim(desk, opened))
    assert json.loads(replayed[-1].text) == {"action": "reply", "template": "thanks", "slots": {}}


async def _further_claim(desk: Desk, opened: Opened) -> Claim:
    """The claim of one more turn, which nobody answers."""
    await desk.api.services.runner.stop(0)
    await desk.say(opened, "and?", "t9")
    async with desk.api.services.store.begin() as repo:
        claim = await repo.turns.claim("test", 30)
    assert claim is not None
    return claim


async def test_with_no_replica_the_message_is_kept_and_a_human_offered(tmp_path: Path) -> None:
    async with serving(make_settings(tmp_path, **QUICK)) as api:
        desk = Desk(api)
        opened = await api.open()
        await desk.say(opened, "where is my order 10234?")
        events = await desk.heard(opened)
        assert events[-1].payload["code"] == "no_replica"
        lines = await desk.lines(opened)
    assert [line["role"] for line in lines] == ["customer", "system"]
    assert any("human" in choice.lower() for choice in lines[1]["quick_replies"])


async def test_messages_during_a_reply_wait_their_turn(desk: Desk) -> None:
    desk.everywhere(script("greeting", {"name": None}, delay_s=0.05), script("thanks"), script("goodbye"))
    opened = await desk.api.open()
    for turn, text in enumerate(("hello", "thanks", "bye"), start=1):
        await desk.say(opened, text, f"t{turn}")
    events = await desk.heard(opened, turns=3)
    started, done = ([e.payload["turn_id"] for e in events if e.kind == kind] for kind in (ENDS[0], "turn.started"))
    assert started == done and len(done) == 3
    (home,) = desk.home
    roles = [message["role"] for message in home.calls[2].body["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


async def test_a_stopped_turn_ends_at_once_keeps_its_message_and_can_be_tried_again(desk: Desk) -> None:
    desk.everywhere(Script(pieces(reply("cancel_order", CANCEL), 4), delay_s=0.3), script("cancel_order", CANCEL))
    opened = await desk.api.open()
    turn_id = await desk.say(opened, "please cancel order 10234")
    home = await desk.asked()
    await desk.api.call("POST", f"/conversations/{opened.id}/turns/{turn_id}/stop", opened.token)
    events = await desk.heard(opened, within_s=2)
    assert events[-1].kind == EventKind.TURN_STOPPED
    await asyncio.wait_for(home.calls[0].aborted.wait(), 2)
    await desk.then_elsewhere(script("cancel_order", CANCEL))
    await desk.api.call("POST", f"/conversations/{opened.id}/turns/{turn_id}/retry", opened.token)
    assert kinds(await desk.heard(opened, turns=2))[-1] == EventKind.REPLY_DONE
    assert [line["role"] for line in await desk.lines(opened)] == ["customer", "assistant"]


async def test_a_server_that_stops_hands_its_turn_back_and_the_next_one_answers(tmp_path: Path) -> None:
    async with ScriptedEngine() as engine:
        settings = make_settings(tmp_path, replicas=[engine.url], **QUICK | {"stall_timeout": "5s"})
        engine.enqueue(Script(HALF, Fault.HANG), script("cancel_order", CANCEL))
        async with serving(settings) as api:
            desk = Desk(api, {"r0": engine})
            opened = await api.open()
            turn_id = await desk.say(opened, "please cancel order 10234")
            await desk.asked()
            await api.services.runner.stop(0)
        async with serving(settings) as api:
            desk = Desk(api, {"r0": engine})
            events = await desk.heard(opened)
            told = await desk.settled(turn_id)
    assert kinds(events).count(EventKind.REPLY_DONE) == 1 and "10234" in shown(events)
    assert told["template"] == "cancel_order"


async def test_a_request_for_a_person_marks_the_conversation(desk: Desk) -> None:
    desk.everywhere(script("contact_human_agent", action="handoff"))
    opened = await desk.api.open()
    await desk.settled(await desk.say(opened, "let me talk to a human"))
    queue = (await desk.api.call("GET", "/agent/conversations", desk.api.keys["agent"])).json()["data"]
    assert [(row["id"], row["state"]) for row in queue] == [(opened.id, "waiting")]
