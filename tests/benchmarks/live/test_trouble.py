import os
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.live.arms import ARMS, OURS, Front
from benchmarks.live.trouble import join, refusal
from benchmarks.live.workloads import Trouble

THIRD = "http://127.0.0.1:3"


@pytest.mark.parametrize(
    ("arm", "call"),
    [
        ("sticky_least_loaded", ("/add_worker", {"url": THIRD}, None)),
        ("sglang_cache_aware", ("/workers", {}, {"url": THIRD})),
    ],
)
async def test_a_router_is_told_of_the_replica_that_joins(arm: str, call: tuple) -> None:
    heard = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((request.path, dict(request.query), await request.json() if request.can_read_body else None))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{any}", hear)
    async with TestServer(app) as server:
        await join(Front(arm, [str(server.make_url("")).rstrip("/")], [psutil.Process(os.getpid())]), THIRD)
    assert heard == [call]


async def test_ours_finds_it_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "replicas.txt"
    file.write_text("http://127.0.0.1:1\n")
    await join(Front(OURS, [], [], replicas_file=file), THIRD)
    assert file.read_text().split() == ["http://127.0.0.1:1", THIRD]


def test_an_arm_that_cannot_take_a_replica_in_is_refused_with_the_reason() -> None:
    assert "LiteLLM" in refusal(Trouble.JOIN, "litellm_session_affinity")
    able = [*(arm for arm in ARMS if not arm.startswith("litellm")), OURS]
    assert not any(refusal(Trouble.JOIN, arm) for arm in able)
    assert not refusal(None, "litellm_session_affinity") and not refusal(Trouble.KILL, "litellm_session_affinity")
