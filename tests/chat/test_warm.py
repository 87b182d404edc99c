"""Warm before ready: every site's prefix under its own salt, the schema with it."""

import asyncio
from pathlib import Path

import pytest

from backend.placement import ReplicaState
from backend.salt import cache_salt
from chat.warm import OPENING
from prompts import system_prompt, turn_schema
from tests.chat.conftest import Api, make_settings, serving
from tests.scripted_engine import ScriptedEngine


async def until_ready(api: Api) -> None:
    await api.services.replicas.wait_ready(10)


async def test_each_site_is_warmed_under_its_salt_before_the_replica_is_ready(tmp_path: Path) -> None:
    async with ScriptedEngine() as engine, serving(make_settings(tmp_path, replicas=[engine.url])) as api:
        await until_ready(api)
        pack = api.services.packs.named("demo-shop")
        by_salt = {call.body.get("cache_salt"): call.body for call in engine.probes if "cache_salt" in call.body}
        body = by_salt[cache_salt(api.services.secret, "demo", 0)]
        assert body["messages"][0] == {"role": "system", "content": system_prompt(pack)}
        assert body["structured_outputs"] == {"json": turn_schema(pack, [OPENING])}
        assert body["max_tokens"] == 1


async def test_a_new_boot_is_warmed_again(tmp_path: Path) -> None:
    async with ScriptedEngine() as engine, serving(make_settings(tmp_path, replicas=[engine.url])) as api:
        await until_ready(api)
        before = len(engine.probes)
        await engine.restart()
        async with asyncio.timeout(10):
            while len(engine.probes) < before + 3:
                await asyncio.sleep(0.05)
        salts = {call.body.get("cache_salt") for call in engine.probes[before:]}
        assert {cache_salt(api.services.secret, key, 0) for key in ("demo", "other")} <= salts


async def test_a_disabled_site_is_not_warmed(tmp_path: Path) -> None:
    async with ScriptedEngine() as engine:
        async with serving(make_settings(tmp_path, replicas=["http://127.0.0.1:9"])) as api:
            async with api.services.store.begin() as repo:
                await repo.sites.update("other", enabled=False)
            replica = api.services.replicas.add(engine.url)
            async with asyncio.timeout(10):
                while (await state_of(api, replica.id)) is not ReplicaState.READY:
                    await asyncio.sleep(0.05)
        salts = {call.body.get("cache_salt") for call in engine.probes}
        assert cache_salt(api.services.secret, "demo", 0) in salts
        assert cache_salt(api.services.secret, "other", 0) not in salts


async def state_of(api: Api, replica_id: str) -> ReplicaState:
    return next(snapshot.state for snapshot in api.services.replicas.snapshot() if snapshot.id == replica_id)


@pytest.mark.parametrize("path", ["/readyz", "/api/v1/readyz"])
async def test_ready_once_a_replica_is_warm(tmp_path: Path, path: str) -> None:
    async with ScriptedEngine() as engine, serving(make_settings(tmp_path, replicas=[engine.url])) as api:
        await until_ready(api)
        assert (await api.client.get(path)).status_code == 200
