"""What breaks in mid-run, and what the operator of each arm would do about it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp

from benchmarks.live.arms import Front
from benchmarks.live.fleet import BenchReplica
from benchmarks.live.workloads import Trouble

_DRAINS_FOR_S = 12.0


async def happen(kind: Trouble, front: Front, replicas: Sequence[BenchReplica], after_s: float) -> None:
    """Do it to the first replica after so many seconds."""
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


async def drain(front: Front, number: int, url: str) -> None:
    """The peers have no drain: taking a worker off their list is what they offer."""
    if front.operator:
        await _ask(f"{front.url}/api/v1/replicas/r{number}/drain", headers=front.operator)
    else:
        await _ask(f"{front.url}/remove_worker", params={"url": url})


async def _ask(address: str, **options: Any) -> None:
    async with aiohttp.ClientSession() as http, http.post(address, **options) as response:
        response.raise_for_status()
