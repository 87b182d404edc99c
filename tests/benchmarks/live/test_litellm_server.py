import asyncio

import aiohttp
import uvicorn

from benchmarks.live.litellm_server import application
from benchmarks.stream import Reply, complete, request
from tests.processes import free_port
from tests.scripted_engine import Script, ScriptedEngine

MESSAGES = [{"role": "user", "content": "hi"}]


async def served(urls: list[str], sessions: list[str]) -> list[Reply]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application(urls), port=port, log_config=None, log_level="warning"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{port}"
        headers = [{"X-Session-Id": session} for session in sessions]
        replies = [await complete(http, url, request(MESSAGES, "pindesk", 2), header) for header in headers]
    server.should_exit = True
    await running
    return replies


async def test_a_session_stays_where_its_first_turn_went_and_the_engine_is_asked_the_same() -> None:
    async with ScriptedEngine() as one, ScriptedEngine() as other:
        one.always = other.always = Script(["a", "b"], prompt_tokens=40, cached_tokens=32)
        replies = await served([one.url, other.url], ["s", "s", "s", "s"])
    assert [reply.failure for reply in replies] == [""] * 4
    assert len({reply.replica for reply in replies}) == 1 and sorted([len(one.calls), len(other.calls)]) == [0, 4]
    body = (one.calls or other.calls)[0].body
    assert (body["max_tokens"], body["min_tokens"], body["ignore_eos"]) == (2, 2, True)
    assert replies[0].cached_tokens == 32 and replies[0].ttft_ms is not None
