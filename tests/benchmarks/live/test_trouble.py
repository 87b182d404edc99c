import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.live import trouble
from benchmarks.live.arms import ARMS, OURS, Front
from benchmarks.live.trouble import join, refusal
from benchmarks.live.workloads import Trouble

THIRD = "http://127.0.0.1:3"


@asynccontextmanager
async def router(serves: str) -> AsyncIterator[tuple[str, list]]:
    """Its address, and what it is told; asked who serves, it answers this."""
    told = []

    async def hear(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=serves)
        told.append((request.path, dict(request.query), await request.json() if request.can_read_body else None))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", hear)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), told


@pytest.mark.parametrize(
    ("arm", "call"),
    [
        ("sticky_least_loaded", ("/add_worker", {"url": THIRD}, None)),
        ("sglang_cache_aware", ("/workers", {}, {"url": THIRD})),
    ],
)
async def test_a_router_is_told_of_the_replica_that_joins(arm: str, call: tuple) -> None:
    async with router(THIRD) as (url, told):
        await join(Front(arm, [url], []), THIRD)
    assert told == [call]


async def test_an_arm_that_does_not_take_it_in_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "_JOINS_WITHIN_S", 0.1)
    async with router("http://127.0.0.1:1") as (url, _):
        with pytest.raises(TimeoutError):
            await join(Front("sticky_least_loaded", [url], []), THIRD)


@pytest.mark.parametrize(("state", "serves"), [("ready", True), ("warming", False)])
async def test_ours_finds_it_in_its_file_and_serves_with_it_once_it_is_warm(
    state: str, serves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "_JOINS_WITHIN_S", 0.1)
    file = tmp_path / "replicas.txt"
    file.write_text("http://127.0.0.1:1\n")
    async with router(json.dumps({"data": [{"url": THIRD, "state": state}]})) as (url, told):
        with nullcontext() if serves else pytest.raises(TimeoutError):
            await join(Front(OURS, [url], [], operator={"Authorization": "Bearer key"}, replicas_file=file), THIRD)
    assert file.read_text().split() == ["http://127.0.0.1:1", THIRD] and not told


def test_an_arm_that_cannot_take_a_replica_in_is_refused_with_the_reason() -> None:
    assert "LiteLLM" in refusal(Trouble.JOIN, "litellm_session_affinity")
    able = [*(arm for arm in ARMS if not arm.startswith("litellm")), OURS]
    assert not any(refusal(Trouble.JOIN, arm) for arm in able)
    assert not refusal(None, "litellm_session_affinity") and not refusal(Trouble.KILL, "litellm_session_affinity")
