import asyncio
from pathlib import Path

import aiohttp

from benchmarks.live.arms import ARMS, OURS, front
from benchmarks.live.script import Writer
from benchmarks.live.trouble import drain
from benchmarks.stream import Reply, complete, request
from benchmarks.traffic import Shape
from tests.scripted_engine import Script, ScriptedEngine

SHAPE = Shape(4.0, 1.0, brands=2, brand_tokens=60, replies_reused=False)


async def test_ours_is_a_whole_pindesk_that_pins_sessions_and_can_be_drained(tmp_path: Path) -> None:
    script = Writer().scripts(SHAPE, 1)[0]
    async with ScriptedEngine() as one, ScriptedEngine() as other:
        one.always = other.always = Script(["a", "b"], prompt_tokens=70, cached_tokens=32)
        urls = [one.url, other.url]
        async with aiohttp.ClientSession() as http:

            async def turn() -> Reply:
                body = request(script.prompts[0], "pindesk", 2)
                return await complete(http, running.url, body, running.headers(script))

            starting = front(OURS, urls, tmp_path)
            running = await asyncio.to_thread(starting.__enter__)
            try:
                before = [await turn() for _ in range(3)]
                home = before[0].replica
                await drain(running, int(home[1:]), urls[int(home[1:])])
                after = await turn()
            finally:
                await asyncio.to_thread(starting.__exit__, None, None, None)
    assert [reply.failure for reply in (*before, after)] == [""] * 4
    assert {reply.replica for reply in before} == {home} and after.replica != home


def test_every_peer_gets_the_replicas_and_ports_on_this_machine_only() -> None:
    for name, argv in ARMS.items():
        command = argv(9000, ["http://127.0.0.1:1", "http://127.0.0.1:2"])
        assert command[-2:] == ["http://127.0.0.1:1", "http://127.0.0.1:2"], name
        assert "9000" in command and "0.0.0.0" not in command
