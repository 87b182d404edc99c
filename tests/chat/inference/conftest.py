"""The endpoint behind a real server, two scripted replicas, and OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from backend.errors import Outcome
from backend.placement import ReplicaState
from sessions import Scope, Site
from telemetry.record import SpanRecord
from tests.chat.conftest import Api, listening, make_settings
from tests.scripted_engine import MODEL, Call, Script, ScriptedEngine

QUICK = {"first_token_timeout": "700ms", "stall_timeout": "500ms"}
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
PIECES = ["Hel", "lo", " ", "wörld"]


@dataclass
class Shop:
    """The endpoint, its scripted replicas by id, and what a program does. `keys` are credentials by their reach."""

    api: Api
    engines: dict[str, ScriptedEngine]
    keys: dict[str, str]

    @property
    def url(self) -> str:
        return str(self.api.client.base_url)

    def client(self, key: str = "demo", **headers: str) -> openai.AsyncOpenAI:
        """OpenAI's client; it repeats nothing, so that a test sees what the server said first."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return openai.AsyncOpenAI(
            base_url=f"{self.url}/v1", api_key=self.keys.get(key, key), max_retries=0, default_headers=named
        )

    async def post(self, key: str = "demo", /, *, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """A bare request; `messages` and `model` are filled in."""
        sent = {"Authorization": f"Bearer {self.keys.get(key, key)}"} | (headers or {})
        return await self.api.client.post(
            "/v1/chat/completions", json={"model": MODEL, "messages": HELLO} | body, headers=sent
        )

    def everywhere(self, *scripts: Script) -> None:
        for engine in self.engines.values():
            engine.enqueue(*scripts)

    def always(self, script: Script | None) -> None:
        for engine in self.engines.values():
            engine.always = script

    @property
    def calls(self) -> list[Call]:
        return [call for engine in self.engines.values() for call in engine.calls]

    async def spans(self, trace_id: str) -> list[SpanRecord]:
        """The trace as it is stored once everything is written."""
        telemetry = self.api.services.telemetry
        await telemetry.trace(trace_id, wait_s=0)
        return await telemetry.store.trace(trace_id)

    def metric(self, name: str, **labels: str) -> float:
        return self.api.services.telemetry.metrics.registry.get_sample_value(f"pindesk_{name}", labels) or 0.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with ScriptedEngine() as first, ScriptedEngine() as second:
        settings = make_settings(tmp_path_factory.mktemp("var"), replicas=[first.url, second.url], **QUICK)
        async with listening(settings) as (api, _):
            yield Shop(api, {"r0": first, "r1": second}, await _keys(api))


@pytest_asyncio.fixture(loop_scope="module")
async def shop(opened: Shop) -> Shop:
    """Both replicas ready, nothing scripted, nothing asked yet."""
    for replica_id, engine in opened.engines.items():
        # Else each test that makes a replica fail would double the pause before its return.
        opened.api.services.replicas.report(replica_id, Outcome.OK)
        engine.clear()
        engine.calls.clear()
        engine.always = None
    async with asyncio.timeout(20):
        while any(each.state is not ReplicaState.READY for each in opened.api.services.replicas.snapshot()):
            await asyncio.sleep(0.02)
    return opened


async def _keys(api: Api) -> dict[str, str]:
    async with api.services.store.begin() as repo:
        await repo.sites.add(Site(key="closed", name="Closed", pack="demo-shop", enabled=False))
        made = {name: await repo.sites.add_key(Scope.INFERENCE, [name], name) for name in ("demo", "other", "closed")}
        made["both"] = await repo.sites.add_key(Scope.INFERENCE, ["demo", "other"], "both")
    return made | {"every": api.keys["inference"], "agent": api.keys["agent"], "operator": api.keys["operator"]}
