import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from backend.discovery import behind_name, follow, in_file, keep_following, replica_id
from backend.placement import Ahead, Pin, Placement, ReplicaState
from backend.replicas import Replicas
from tests.backend.conftest import INTERVAL_S, quick_probe, until
from tests.scripted_engine import ScriptedEngine


async def test_a_file_names_a_replica_a_line(tmp_path: Path) -> None:
    path = tmp_path / "replicas"
    path.write_text("# ours\n\nhttp://a:8000/\n  http://b:8000  # the second\n")
    assert await in_file(path)() == ["http://a:8000", "http://b:8000"]
    path.write_text("gpu-a:8000\n")
    with pytest.raises(ValueError, match="gpu-a:8000"):
        await in_file(path)()


async def test_every_address_behind_a_name_is_a_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolved(host: str, port: int, **_: object) -> list[tuple]:
        assert (host, port) == ("vllm", 8000)
        of = [("10.0.0.2", port), ("10.0.0.1", port), ("10.0.0.1", port), ("fd00::1", port, 0, 0)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in of]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved)
    found = await behind_name("http://vllm:8000")()
    assert found == ["http://10.0.0.1:8000", "http://10.0.0.2:8000", "http://[fd00::1]:8000"]


async def test_a_name_of_this_machine_is_resolved() -> None:
    assert "http://127.0.0.1:8000/base" in await behind_name("http://localhost:8000/base")()


async def test_a_changed_file_is_followed_while_conversations_go_on(
    pair: tuple[ScriptedEngine, ScriptedEngine], tmp_path: Path
) -> None:
    path, (first, second) = tmp_path / "replicas", pair
    path.write_text(f"{first.url}\n")
    async with Replicas([], interval_s=INTERVAL_S, probe=quick_probe()) as replicas:
        following = asyncio.create_task(keep_following(replicas, in_file(path), every_s=INTERVAL_S))
        await replicas.wait_ready(20)
        pin = Pin(replica_id(first.url), first.boot_id, 100)
        assert replicas.choose(Ahead(pin=pin)).reason is Placement.PINNED
        path.write_text(f"{second.url}\n{first.url}\n")
        await until(lambda: [each.state for each in replicas.snapshot()] == [ReplicaState.READY] * 2)
        assert replicas.choose(Ahead(pin=pin)).order[0] == replica_id(first.url)
        path.write_text(f"{second.url}\n")
        await until(lambda: len(replicas.snapshot()) == 1)
        assert replicas.choose(Ahead(pin=pin)).reason is Placement.FAILOVER
        following.cancel()


@pytest.mark.parametrize("answer", [[], OSError("no such name"), ValueError("rubbish")])
async def test_an_answer_that_says_nothing_takes_nobody_away(answer: Sequence[str] | Exception) -> None:
    async def look() -> Sequence[str]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    replicas = Replicas(["http://127.0.0.1:9"])
    await follow(replicas, look)
    assert [each.id for each in replicas.snapshot()] == ["r0"]


def test_an_id_follows_from_the_address() -> None:
    assert replica_id("http://a:8000/") == replica_id("http://a:8000") != replica_id("http://b:8000")
