"""Each alert of the web process is provoked by what it is for, on a running system that a real Prometheus watches.

The engines are scripted, because these faults cannot be asked of a real one; every figure comes from `web` by HTTP.
`test_engine_alerts` does the same with a real engine; `tests.prometheus` says how time is made shorter.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from benchmarks.client import Customer
from tests.chat.browser.shop import written
from tests.deploy.test_engine_alerts import PROVOKED as BY_THE_ENGINE
from tests.processes import free_port
from tests.prometheus import RULES, Prometheus, alerts_in
from tests.scripted_engine import Fault, Script, ScriptedEngine
from tests.system import System, start_system

WORDS = written().pieces
GOOD = Script(WORDS, first_delay_s=0.02, prompt_tokens=900, cached_tokens=864)
COLD = replace(GOOD, cached_tokens=32)
SLOW = Script([WORDS[0], "".join(WORDS[1:])], first_delay_s=1.5, delay_s=1.0, prompt_tokens=900, cached_tokens=864)
UNHURRIED = replace(SLOW, first_delay_s=0.3, delay_s=0.2)
CRASHED = Script(fault=Fault.CRASHED)
UNLAWFUL = Script(['{"action":"dance"}'])
SCRIPTED = {"cold caches": COLD, "slow engines": SLOW, "unlawful replies": UNLAWFUL, "crashing engines": CRASHED}

QUIET_S = 28.0
WITHIN_S = 60.0
CUSTOMERS = 4
CROWD = 80

PROVOKED = {
    "cold caches": {"PrefixCacheMissed", "PrefixCacheFalling"},
    "slow engines": {"FirstTextSlow", "ReplySlow"},
    "crashing engines": {"TurnsFail"},
    "unlawful replies": {"RepliesUnlawful"},
    "too many messages": {"CustomersRefused"},
    "a dead collector": {"SpansDropped"},
    "more customers than engines": {"TurnsWait"},
    "a dead engine": {"ReplicaDown", "EngineGone"},
    "no engine": {"NoReplica"},
}


def test_each_alert_is_provoked_by_a_real_fault() -> None:
    assert set().union(*PROVOKED.values(), BY_THE_ENGINE) == alerts_in(RULES.read_text())


@dataclass
class Stage:
    system: System
    engines: list[ScriptedEngine]
    collector: web.AppRunner
    prometheus: Prometheus

    def play(self, script: Script) -> None:
        for engine in self.engines:
            engine.always = script

    @asynccontextmanager
    async def provoking(self, fault: str) -> AsyncIterator[None]:
        """All is well; then, inside, the fault, until its alerts have fired."""
        self.play(GOOD)
        await self.prometheus.until_resting(PROVOKED[fault], WITHIN_S)
        yield
        await self.prometheus.until_firing(PROVOKED[fault], WITHIN_S)


@asynccontextmanager
async def stage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """`web` over two engines, sending its spans to a collector that answers too, watched by Prometheus."""
    collector_port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "300")
    async with AsyncExitStack() as around:
        stack = around.enter_context(ExitStack())
        engines = [await around.enter_async_context(ScriptedEngine(free_port())) for _ in range(2)]
        for engine in engines:
            engine.always = GOOD
        collector = await _collector(collector_port)
        around.push_async_callback(collector.cleanup)
        limits = dict.fromkeys(("address_limit", "site_limit", "open_limit"), "100000/minute")
        urls = [engine.url for engine in engines]
        system = await asyncio.to_thread(start_system, stack, urls, folder, 0, **limits)
        prometheus = Prometheus(folder / "prometheus", {"pindesk": [system.url], "replicas": urls})
        stack.callback(prometheus.stop)
        prometheus.start()
        await asyncio.to_thread(prometheus.wait_ready, 30)
        yield Stage(system, engines, collector, prometheus)


@pytest.mark.prometheus
@pytest.mark.timeout(900)
async def test_the_alerts_fire_on_their_faults_and_rest_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch) as scene, _customers(scene.system.url):
        await asyncio.sleep(QUIET_S)
        await scene.prometheus.until_resting(alerts_in(RULES.read_text()), WITHIN_S)

        for fault, script in SCRIPTED.items():
            async with scene.provoking(fault):
                scene.play(script)

        async with AsyncExitStack() as people, scene.provoking("too many messages"):
            await people.enter_async_context(_insisting(scene.system.url))

        async with scene.provoking("a dead collector"):
            await scene.collector.cleanup()

        async with AsyncExitStack() as people, scene.provoking("more customers than engines"):
            scene.play(UNHURRIED)
            await people.enter_async_context(_crowd(scene.system.url))

        async with scene.provoking("a dead engine"):
            await scene.engines[1].stop()

        async with scene.provoking("no engine"):
            await scene.engines[0].stop()


async def _collector(port: int) -> web.AppRunner:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


@asynccontextmanager
async def _busy_with(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=None), trust_env=False)


@asynccontextmanager
async def _customers(url: str) -> AsyncIterator[None]:
    """A few people who always have another question."""

    async def ask(http: httpx.AsyncClient) -> None:
        while True:
            with suppress(httpx.HTTPError, TimeoutError):
                customer = await Customer.open(http)
                for _ in range(4):
                    async with asyncio.timeout(20):
                        await customer.ask("How can I pay?")
            await asyncio.sleep(0.1)

    async with _client(url) as http, _busy_with(*(ask(http) for _ in range(CUSTOMERS))):
        yield


@asynccontextmanager
async def _insisting(url: str) -> AsyncIterator[None]:
    """Somebody who writes far more than one conversation may."""

    async def write(http: httpx.AsyncClient) -> None:
        customer, number = await Customer.open(http), 0
        while True:
            number += 1
            body = {"text": "hello?", "client_turn_id": str(number)}
            await http.post(f"{customer.path}/turns", json=body, headers=customer.headers)

    async with _client(url) as http, _busy_with(write(http)):
        yield


@asynccontextmanager
async def _crowd(url: str) -> AsyncIterator[None]:
    """Many people at once."""

    async def ask(http: httpx.AsyncClient) -> None:
        customer = await Customer.open(http)
        await customer.ask("How can I pay?")

    async with _client(url) as http, _busy_with(*(ask(http) for _ in range(CROWD))):
        yield
