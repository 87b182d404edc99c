"""What the placement policy takes for granted about vLLM's cache, asked of the real one."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend.engine import Attempt, Engine, Usage
from backend.replicas import Replicas
from backend.salt import cache_salt

pytestmark = pytest.mark.engine

PROMPT = [
    {"role": "system", "content": "You answer customers of a shop. " * 40},
    {"role": "user", "content": "Where is my order 10234?"},
]


class Counters:
    """What the engine counts of its cache since these were made: prompt tokens looked up and found."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._before = (0.0, 0.0)

    async def read(self) -> tuple[float, float]:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self._url}/metrics")).text
        found = dict.fromkeys(("queries", "hits"), 0.0)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                for name in found:
                    found[name] += sample.value if sample.name == f"vllm:prefix_cache_{name}_total" else 0.0
        return found["queries"], found["hits"]

    async def start(self) -> None:
        self._before = await self.read()

    async def hits_of(self, prompt_tokens: int) -> float:
        """Hits since `start`, once a prompt of so many tokens has been counted."""
        async with asyncio.timeout(10):
            while (now := await self.read())[0] - self._before[0] < prompt_tokens:
                await asyncio.sleep(0.05)
        return now[1] - self._before[1]


async def asked(engine: Engine, attempt: Attempt) -> Usage:
    async with aclosing(engine.stream(attempt)) as pieces:
        *_, usage = [piece async for piece in pieces]
    assert isinstance(usage, Usage)
    return usage


@pytest.fixture
async def replicas(engine_urls: list[str]) -> AsyncIterator[Replicas]:
    async with Replicas(engine_urls[:1]) as replicas:
        await replicas.wait_ready(60)
        yield replicas


@pytest.fixture
async def engine(replicas: Replicas) -> AsyncIterator[Engine]:
    engine = Engine(replicas)
    yield engine
    await engine.close()


async def test_two_sites_share_nothing_and_one_sites_customers_share_its_prefix(
    engine: Engine, engine_urls: list[str]
) -> None:
    secret, counters = secrets.token_bytes(32), Counters(engine_urls[0])
    shop, bank, rotated = (cache_salt(secret, site, epoch) for site, epoch in (("shop", 0), ("bank", 0), ("shop", 1)))
    hits = []
    for salt in (shop, shop, bank, rotated, shop):
        await counters.start()
        usage = await asked(engine, Attempt("r0", PROMPT, max_tokens=2, cache_salt=salt))
        hits.append(await counters.hits_of(usage.prompt_tokens))
        assert hits[-1] == usage.cached_tokens
    first, second, other_site, after_rotation, again = hits
    assert (first, other_site, after_rotation) == (0, 0, 0)
    assert second == again >= usage.prompt_tokens - 64
