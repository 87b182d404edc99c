import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from benchmarks.live.arms import ARMS, OURS, Front, front
from benchmarks.live.script import Script as Talk
from benchmarks.live.script import Writer
from benchmarks.live.trouble import drain, join
from benchmarks.stream import Reply, complete, request
from benchmarks.traffic import Shape
from tests.scripted_engine import Script, ScriptedEngine

SHAPE = Shape(8.0, 1.0, brands=2, brand_tokens=60, replies_reused=False)
MANY = replace(SHAPE, conversations_per_s=30.0, brands=20, zipf=0.0)  # of some brands it is not to have a copy


@asynccontextmanager
async def ours(engines: Sequence[ScriptedEngine], folder: Path, **options: int) -> AsyncIterator[Front]:
    """Engines sign as the benchmark's replicas do."""
    for number, engine in enumerate(engines):
        engine.always = Script(["a", "b"], prompt_tokens=70, cached_tokens=32, fingerprint=f"r{number}")
    starting = front(OURS, [engine.url for engine in engines[:2]], folder, **options)
    running = await asyncio.to_thread(starting.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


async def turn(http: aiohttp.ClientSession, running: Front, talk: Talk, index: int) -> Reply:
    body = request(talk.prompts[0], "pindesk", 2)
    return await complete(http, running.url_of(talk, index), body, running.headers(talk))


@asynccontextmanager
async def scripted(count: int) -> AsyncIterator[list[ScriptedEngine]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(ScriptedEngine()) for _ in range(count)]


async def test_ours_is_a_whole_pindesk_that_pins_sessions_and_can_be_drained(tmp_path: Path) -> None:
    talk = Writer().scripts(SHAPE, 1)[0]
    async with scripted(2) as engines, ours(engines, tmp_path) as running, aiohttp.ClientSession() as http:
        before = [await turn(http, running, talk, index) for index in range(3)]
        home = before[0].replica
        await drain(running, int(home[1:]), engines[int(home[1:])].url)
        after = await turn(http, running, talk, 3)
    assert [reply.failure for reply in (*before, after)] == [""] * 4
    assert {reply.replica for reply in before} == {home} and after.replica != home


async def test_a_replica_that_joins_ours_takes_new_conversations_and_the_others_stay(tmp_path: Path) -> None:
    talks = Writer().scripts(MANY, 1)[:15]
    async with scripted(3) as engines, ours(engines, tmp_path, grows=True) as running, aiohttp.ClientSession() as http:
        before = [(await turn(http, running, talk, 0)).fingerprint for talk in talks[:3]]
        await join(running, engines[2].url)
        new = [(await turn(http, running, talk, 0)).fingerprint for talk in talks[3:]]
        after = [(await turn(http, running, talk, 1)).fingerprint for talk in talks[:3]]
    assert after == before and "r2" not in before and "r2" in new


def test_every_peer_gets_the_replicas_and_ports_on_this_machine_only() -> None:
    for name, argv in ARMS.items():
        command = argv(9000, ["http://127.0.0.1:1", "http://127.0.0.1:2"])
        assert command[-2:] == ["http://127.0.0.1:1", "http://127.0.0.1:2"], name
        assert "9000" in command and "0.0.0.0" not in command


@pytest.mark.postgres
async def test_two_processes_of_ours_keep_a_session_where_it_is(tmp_path: Path) -> None:
    talks = Writer().scripts(MANY, 1)[:8]
    async with scripted(2) as engines, ours(engines, tmp_path, processes=2) as running, aiohttp.ClientSession() as http:
        assert len(set(running.urls)) == len({process.pid for process in running.processes}) == 2
        went = [[(await turn(http, running, talk, index)).fingerprint for talk in talks] for index in range(3)]
    assert went[0] == went[1] == went[2] and set(went[0]) == {"r0", "r1"}
