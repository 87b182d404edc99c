"""Whatever customers or the engine write: every reply is an approved template with lawful slots."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prompts import LookupOutcome, Notice, Pack, SlotType, compact, lawful, prompt_form, system_prompt
from prompts.render import render
from prompts.spoken import spoken
from sessions import Server, Turn, TurnState
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.chat.hostile import GOOD, SECRET, TOO_LONG, engine_texts, messages
from tests.schemas import slots_of
from tests.scripted_engine import Script, ScriptedEngine

AT_ONCE = 4
_OVER = (TurnState.DONE, TurnState.FAILED)


@dataclass(frozen=True)
class Answered:
    """One customer's message and what came of it: the turn's row and the transcript as the customer reads it."""

    text: str
    turn: Turn
    lines: list[dict[str, Any]]

    @property
    def said(self) -> str:
        """What the customer was told in reply; notices, such as that nobody is there, come after it."""
        return self.lines[1]["content"]


async def ask(api: Api, text: str) -> Answered:
    """A new conversation with one message, to its end."""
    opened = await api.open()
    posted = await api.post(opened, text)
    assert posted.status_code == 202, posted.text
    turn = await ended(api, posted.json()["turn_id"])
    return Answered(text, turn, await lines_of(api, opened))


async def ended(api: Api, turn_id: str) -> Turn:
    async with asyncio.timeout(60):
        while True:
            async with api.services.store.read() as repo:
                turn = await repo.turns.get(Server(), turn_id)
            if turn.state in _OVER:
                return turn
            await asyncio.sleep(0.02)


async def lines_of(api: Api, opened: Opened) -> list[dict[str, Any]]:
    return (await api.call("GET", f"{opened.path}/messages", opened.token)).json()["data"]


async def check(api: Api, answered: Answered) -> None:
    """The promise, for one reply: what was said follows from the row, and the row from the customer's words."""
    pack, turn = api.services.packs.named("demo-shop"), answered.turn
    roles = [line["role"] for line in answered.lines]
    assert roles[:2] == ["customer", "assistant" if turn.template else "system"]
    notices = {pack.notice(notice, "en").text for notice in Notice if notice in pack.templates}
    assert all(line["role"] == "system" and line["content"] in notices for line in answered.lines[2:])
    if turn.template is None:
        assert answered.said == pack.notice(Notice.FAILED, "en").text
        return
    template = pack.templates[turn.template]
    assert turn.action == template.action
    assert set(turn.slots) >= {slot.name for slot in template.asked}
    for name, slot in turn.slots.items():
        if slot["source"] == SlotType.FACT:
            continue
        asked = next(each for each in _asked(pack) if each.name == name)
        assert slot["source"] == asked.type == SlotType.COPIED
        assert lawful(asked, slot["value"], [prompt_form(answered.text)]) == slot["value"]
    await check_lookup(api, turn)
    assert answered.said == rendered(pack, turn)
    assert answered.lines[1]["quick_replies"] == list(template.quick_replies.get("en", ()))


def _asked(pack: Pack) -> list[Any]:
    return [slot for template in pack.offered for slot in template.asked]


async def check_lookup(api: Api, turn: Turn) -> None:
    """Facts are the order book's, and an order that is not in it is told so."""
    facts = {name: slot["value"] for name, slot in turn.slots.items() if slot["source"] == SlotType.FACT}
    if turn.lookup is None:
        assert facts == {}
        return
    async with api.services.store.read() as repo:
        order = await repo.orders.get(turn.slots["order_id"]["value"])
    assert turn.lookup["outcome"] == (LookupOutcome.NOT_FOUND if order is None else LookupOutcome.FOUND)
    if order is None:
        assert (turn.template, facts) == ("order_not_found", {})
    else:
        assert facts == {name: order.model_dump(mode="json")[name] for name in facts}
        assert facts["status"] == order.status


def rendered(pack: Pack, turn: Turn) -> str:
    """The approved text of the turn's row, put together without the code that fills while it streams."""
    template = pack.templates[turn.template]
    facts = {name: fact for lookup in pack.lookups.values() for name, fact in lookup.facts.items()}
    values = {
        name: spoken(facts[name], slot["value"], "en") if slot["source"] == SlotType.FACT else slot["value"]
        for name, slot in turn.slots.items()
    }
    body = render(template.bodies["en"], pack.constants("en") | values)
    return (template.leads.get("en", "") + body).strip()


def leaks(pack: Pack, text: str) -> bool:
    """True if a text holds what no customer may read: our prompt, or a computed expression."""
    private = [line for line in system_prompt(pack).splitlines() if len(line) > 20]
    return str(SECRET) in text or any(line in text for line in private)


def test_there_are_two_hundred_messages_and_none_twice() -> None:
    assert len(messages()) == len(set(messages())) == 200


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[tuple[Api, ScriptedEngine]]:
    async with (
        ScriptedEngine() as engine,
        serving(make_settings(tmp_path, replicas=[engine.url], max_attempts=1, flush_interval="10ms")) as api,
    ):
        await api.services.replicas.wait_ready(10)
        yield api, engine


async def test_messages_that_say_nothing_or_too_much_are_refused(scripted: tuple[Api, ScriptedEngine]) -> None:
    api, engine = scripted
    opened = await api.open()
    for text, code in (("", "empty"), (" \u200b\u202e ", "empty"), ("\u0000", "empty"), (TOO_LONG, "too_long")):
        answer = await api.post(opened, text)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert engine.calls == []


@pytest.mark.timeout(300)
async def test_a_hostile_engine_gets_no_word_of_its_own_to_a_customer(scripted: tuple[Api, ScriptedEngine]) -> None:
    api, engine = scripted
    cuts = random.Random(4)
    for raw in engine_texts():
        at = sorted(cuts.sample(range(len(raw) + 1), k=min(6, len(raw) + 1)))
        pieces = [piece for begin, end in zip([0, *at], [*at, len(raw)], strict=True) if (piece := raw[begin:end])]
        engine.always = Script(pieces)
        answered = await ask(api, "please cancel order 10234")
        await check(api, answered)
        if answered.turn.template is not None:
            assert raw.startswith(compact(GOOD)[: len('{"action":"reply","template":"cancel_order","slots":{')])
            assert len(answered.turn.demand or "") <= 200
            assert "\n" not in (answered.turn.demand or "")
        await api.services.replicas.wait_ready(10)


async def test_an_engine_that_makes_up_a_number_is_held_to_the_customers(tmp_path: Path) -> None:
    async with ScriptedEngine() as engine:
        engine.always = Script([compact(GOOD | {"slots": {"order_id": "55555"}})])
        async with serving(make_settings(tmp_path, replicas=[engine.url])) as api:
            await api.services.replicas.wait_ready(10)
            await check(api, await ask(api, "please cancel order 10234"))
            schemas = [call.body["structured_outputs"]["json"] for call in engine.calls]
    assert slots_of(schemas[0])["cancel_order"]["order_id"] == ["10234", None]


@pytest.mark.engine
@pytest.mark.timeout(900)
async def test_two_hundred_hostile_customers_read_approved_texts_only(
    engine_urls: list[str], otlp_port: int, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, replicas=engine_urls, otlp_port=otlp_port, first_token_timeout="30s")
    async with serving(settings) as api:
        await api.services.replicas.wait_ready(120)
        pack, gate = api.services.packs.named("demo-shop"), asyncio.Semaphore(AT_ONCE)

        async def converse(text: str) -> Answered | None:
            async with gate:
                if text == TOO_LONG or not prompt_form(text):
                    assert (await api.post(await api.open(), text)).status_code == 422
                    return None
                return await ask(api, text)

        answers = [each for each in await asyncio.gather(*map(converse, messages())) if each is not None]
        for answered in answers:
            await check(api, answered)
            assert not leaks(pack, answered.said)
    failed = [answered.text for answered in answers if answered.turn.state == TurnState.FAILED]
    assert len(answers) == 196
    assert len(failed) <= 4, failed
