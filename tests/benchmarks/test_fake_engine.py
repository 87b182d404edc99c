from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest

from backend.engine import Attempt, Engine, Text, Usage
from backend.replicas import Replicas
from benchmarks.endpoint_overhead import CHUNKS, PROMPT, Clients, fake_engine
from benchmarks.live.arms import Front
from benchmarks.stream import complete, request


@pytest.fixture
async def engine() -> AsyncIterator[Front]:
    with fake_engine(0) as engine:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=20)) as http:
            await http.get(f"{engine.url}/health")
        yield engine


async def test_it_is_a_replica_like_any_other(engine: Front) -> None:
    async with Replicas([engine.url]) as replicas:
        await replicas.wait_ready(20)
        streaming = Engine(replicas)
        pieces = [piece async for piece in streaming.stream(Attempt("r0", PROMPT, max_tokens=3))]
        await streaming.close()
    assert pieces == [Text(" word"), Text(" word"), Text("."), Usage("length", 96, 64, 3)]


async def test_a_load_generator_reads_it(engine: Front) -> None:
    async with aiohttp.ClientSession() as http:
        reply = await complete(http, engine.url, request(PROMPT, "pindesk", 7))
    assert (reply.failure, reply.completion_tokens, reply.cached_tokens) == ("", 7, 64)
    assert reply.ttft_ms is not None


async def test_it_answers_whole_too(engine: Front) -> None:
    async with httpx.AsyncClient() as http:
        body = {"model": "pindesk", "messages": PROMPT, "max_tokens": 2}
        answer = (await http.post(f"{engine.url}/v1/chat/completions", json=body)).json()
    assert answer["choices"][0]["message"]["content"] == " word word"


async def test_open_loop_clients_ask_at_their_rate_whatever_comes_back(engine: Front) -> None:
    async with aiohttp.ClientSession() as http:
        replies = await Clients(http, engine).at_rate(100, 0.5)
    # The moments are drawn from a fixed seed.
    assert len(replies) == 62
    assert {reply.completion_tokens for reply in replies} == {CHUNKS}
