"""What happens in mid-run, and what the operator of each arm would do about it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import aiohttp

from benchmarks.live.arms import Front
from benchmarks.live.fleet import BenchReplica
from benchmarks.live.workloads import Trouble

_DRAINS_FOR_S = 12.0
_JOINS_WITHIN_S = 20.0


async def happen(kind: Trouble, front: Front, replicas: Sequence[BenchReplica], after_s: float) -> None:
    """Do it to the first replica after so many seconds; the one that joins is the last."""
    await asyncio.sleep(after_s)
    victim = replicas[0]
    match kind:
        case Trouble.KILL:
            victim.kill()
        case Trouble.RESTART:
            victim.kill()
            victim.start()
        case Trouble.DRAIN:
            await drain(front, 0, victim.url)
            await asyncio.sleep(_DRAINS_FOR_S)
            await asyncio.to_thread(victim.stop)
        case Trouble.JOIN:
            await join(front, replicas[-1].url)


def refusal(kind: Trouble | None, arm: str) -> str:
    """Why an arm cannot take part in it; empty when it can."""
    if kind in (Trouble.JOIN, Trouble.DRAIN) and arm == "litellm_session_affinity":
        return f"{arm} takes no part in {kind}: LiteLLM's Router keeps the replicas that its process began with"
    return ""


async def drain(front: Front, number: int, url: str) -> None:
    """The peers have no drain: taking a worker off their list is what they offer."""
    if front.operator:
        await _ask(f"{front.urls[0]}/api/v1/replicas/r{number}/drain", headers=front.operator)
    else:
        await _ask(f"{front.urls[0]}/remove_worker", params={"url": url})


async def join(front: Front, url: str) -> None:
    """Ours reads its file again; the routers are told. Raises TimeoutError when it does not count among theirs then."""
    if front.replicas_file:
        with front.replicas_file.open("a") as file:
            file.write(f"{url}\n")
    elif front.arm.startswith("sglang"):
        await _ask(f"{front.urls[0]}/workers", json={"url": url})
    else:
        await _ask(f"{front.urls[0]}/add_worker", params={"url": url})
    async with asyncio.timeout(_JOINS_WITHIN_S):
        while url not in await serving(front):
            await asyncio.sleep(0.5)


async def serving(front: Front) -> str:
    """The addresses that the arm sends turns to, somewhere in a text."""
    if front.operator:
        replicas = json.loads(await _answer(f"{front.urls[0]}/api/v1/replicas", headers=front.operator))["data"]
        return " ".join(replica["url"] for replica in replicas if replica["state"] == "ready")
    return await _answer(f"{front.urls[0]}/{'workers' if front.arm.startswith('sglang') else 'list_workers'}")


async def _answer(address: str, **options: Any) -> str:
    async with aiohttp.ClientSession() as http, http.get(address, **options) as response:
        response.raise_for_status()
        return await response.text()


async def _ask(address: str, **options: Any) -> None:
    async with aiohttp.ClientSession() as http, http.post(address, **options) as response:
        response.raise_for_status()
