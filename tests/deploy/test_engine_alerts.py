"""The engine's alerts are provoked by their faults on a real vLLM server that a real Prometheus watches.

One server with room for four requests and some 8,000 tokens; `tests.prometheus` says how time is made shorter.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.prometheus import Prometheus
from tests.replicas import ReplicaProcess

PROVOKED = frozenset({"EngineCacheFull", "EnginePreempts", "EngineQueue", "EngineFirstTokenSlow", "EngineHung"})

BLOCKS, BLOCK_TOKENS, AT_ONCE = 258, 32, 4
ROOM_TOKENS = BLOCKS * BLOCK_TOKENS
LONGEST_TOKENS = 8192
NEARLY_ALL_TOKENS = ROOM_TOKENS * 905 // 1000
ROOM = ("--num-gpu-blocks-override", str(BLOCKS), "--max-num-seqs", str(AT_ONCE))
TIGHT = (*ROOM, "--max-model-len", str(LONGEST_TOKENS))
WITHIN_S = 90.0


class Engine:
    """Asks the server for texts of a length."""

    def __init__(self, replica: ReplicaProcess, http: httpx.AsyncClient) -> None:
        self.replica, self.http = replica, http
        self._numbers = itertools.count()

    async def write(self, prompt_tokens: int, tokens: int) -> None:
        """One request, again and again until it is cancelled. A token id is one token: nothing has to be counted."""
        body = {"model": "pindesk", "max_tokens": tokens, "ignore_eos": True, "temperature": 1.0}
        while True:
            # No two prompts begin alike, so that none is read from the cache.
            first = next(self._numbers)
            prompt = [first % 900 + 100, first // 900 + 100, *(at % 900 + 100 for at in range(prompt_tokens - 2))]
            (await self.http.post("/v1/completions", json=body | {"prompt": prompt})).raise_for_status()

    @asynccontextmanager
    async def busy_with(self, requests: int, prompt_tokens: int, tokens: int) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.write(prompt_tokens, tokens)) for _ in range(requests)]
        try:
            yield
            assert not any(task.done() for task in tasks), "a request was refused"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def core(self) -> psutil.Process:
        """The process that computes; the server in front of it goes on answering while this one stands still."""
        below = psutil.Process(self.replica.pid).children(recursive=True)
        return next(process for process in below if "EngineCore" in " ".join([process.name(), *process.cmdline()]))


@pytest.mark.engine
@pytest.mark.prometheus
@pytest.mark.timeout(600)
async def test_the_engines_alerts_fire_on_their_faults_and_rest_before_them(
    fresh_replicas: Callable[..., list[ReplicaProcess]], tmp_path: Path
) -> None:
    (replica,) = await asyncio.to_thread(fresh_replicas, 1, TIGHT)
    prometheus = Prometheus(tmp_path / "prometheus", {"pindesk": [], "replicas": [replica.url]})
    prometheus.start()
    try:
        await asyncio.to_thread(prometheus.wait_ready, 30)
        async with httpx.AsyncClient(base_url=replica.url, timeout=300, trust_env=False) as http:
            await _provoke(Engine(replica, http), prometheus)
    finally:
        prometheus.stop()


async def _provoke(engine: Engine, prometheus: Prometheus) -> None:
    async with engine.busy_with(1, 200, 20):
        await asyncio.sleep(8)
        await prometheus.until_resting(PROVOKED, WITHIN_S)

    async with engine.busy_with(1, NEARLY_ALL_TOKENS, LONGEST_TOKENS - NEARLY_ALL_TOKENS - 10):
        await prometheus.until_firing({"EngineCacheFull"}, WITHIN_S)

    async with engine.busy_with(AT_ONCE, ROOM_TOKENS // 5, ROOM_TOKENS // 5):
        await prometheus.until_firing({"EnginePreempts"}, WITHIN_S)

    async with engine.busy_with(8 * AT_ONCE, 60, 40):
        await prometheus.until_firing({"EngineQueue", "EngineFirstTokenSlow"}, WITHIN_S)

    async with engine.busy_with(1, 60, 2000):
        await asyncio.sleep(1)
        os.kill(engine.core().pid, signal.SIGSTOP)
        assert (await engine.http.get("/health")).is_success, "nothing but the tokens tells of it"
        await prometheus.until_firing({"EngineHung"}, WITHIN_S)
        os.kill(engine.core().pid, signal.SIGCONT)
