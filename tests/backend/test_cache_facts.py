"""What the placement policy takes for granted about vLLM's cache, asked of the real one."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend.engine import Attempt, Engine, Usage
from backend.placement import Ahead, Pin, ReplicaState
from backend.replicas import Replicas
from backend.routing import Fate
from backend.salt import cache_salt
from tests.backend.conftest import until
from tests.replicas import ReplicaProcess

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


async def test_the_mirror_knows_what_a_small_cache_still_holds(
    fresh_replicas: Callable[..., list[ReplicaProcess]],
) -> None:
    """Thirty conversations in a cache of seven: who was asked lately is found, the others are not."""
    (process,) = fresh_replicas(1, ("--num-gpu-blocks-override", "136"))
    async with Replicas([process.url], interval_s=0.3) as replicas:
        await until(lambda: replicas.snapshot()[0].state is ReplicaState.READY, within_s=60)
        engine, policy, pins, right, asks = Engine(replicas), replicas.policy, dict[int, tuple[Pin, float]](), 0, 0
        loop = asyncio.get_running_loop()
        for step in range(90):
            number = (step * 7) % 30 if step % 3 else step % 4
            salt = f"conversation {number}"
            ahead = Ahead(salt, 0, 560, key=salt)
            if number in pins:
                pin, at = pins[number]
                ahead = Ahead(salt, 0, 560, Pin("r0", pin.boot_id, pin.held_tokens, idle_s=loop.time() - at), key=salt)
            expected = policy.worth(ahead, replicas.snapshot()).fate is Fate.KEPT
            with await replicas.admit(ahead) as ticket:
                usage = await asked(engine, Attempt("r0", PROMPT, max_tokens=2, cache_salt=salt, ticket=ticket))
            if number in pins:
                asks += 1
                right += expected == (usage.cached_tokens > usage.prompt_tokens / 2)
            boot = replicas.snapshot()[0].boot_id
            pins[number] = (Pin("r0", boot, usage.prompt_tokens), loop.time())
        await engine.close()
    assert asks > 40
    assert right >= 0.9 * asks
