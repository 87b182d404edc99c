"""More messages than the replicas answer: refused before they are stored, with the time to come back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.scripted_engine import Fault, Script, ScriptedEngine


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Api]:
    """One replica that takes one attempt at a time and never ends it; nobody may wait for long."""
    async with ScriptedEngine() as engine:
        engine.always = Script(fault=Fault.SILENT)
        async with serving(make_settings(tmp_path, replicas=[engine.url], first_token_timeout="20s")) as api:
            replicas = api.services.replicas
            await replicas.wait_ready(10)
            limit = replicas.policy.limit("r0")
            limit.limit = limit.least = limit.most = 1.0
            replicas.admission.longest_wait_s = 3.0
            yield api


async def fill(api: Api) -> tuple[list[Opened], Opened, httpx.Response]:
    """Customers who each wait for a reply, and the first who was refused, with the answer."""
    taken = []
    while len(taken) < 20:
        opened = await api.open()
        answer = await api.post(opened, "hello")
        if answer.status_code != 202:
            return taken, opened, answer
        taken.append(opened)
    raise AssertionError("nobody was refused")


async def test_a_full_line_refuses_at_once_says_when_to_come_back_and_stores_nothing(full: Api) -> None:
    taken, late, answer = await fill(full)
    assert 3 <= len(taken) <= 8
    assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert await full.kinds(late) == []
    text = full.services.telemetry.metrics.render().decode()
    assert 'pindesk_rejected_total{reason="queue_full"} 1.0' in text


async def test_a_message_that_was_taken_is_answered_again_as_taken(full: Api) -> None:
    taken, _, _ = await fill(full)
    assert (await full.post(taken[-1], "hello")).status_code == 200


async def test_what_was_accepted_is_never_dropped(full: Api) -> None:
    taken, _, _ = await fill(full)
    async with asyncio.timeout(5):
        while full.services.runner.running == 0:
            await asyncio.sleep(0.01)
    assert full.services.runner.running <= 3, "the others wait in the database"
    for each in taken:
        assert await full.kinds(each) == ["turn.started"]
