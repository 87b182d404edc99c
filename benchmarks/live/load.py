"""The customers of one run: every conversation a task, every turn sent when it is due, over one HTTP client."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import aiohttp
import psutil

from backend.replica import SERVED_MODEL
from benchmarks.live.arms import Front
from benchmarks.live.script import Script
from benchmarks.stream import Reply, complete, request
from benchmarks.turns import Served

_PATIENCE_S = 60.0  # a turn that takes longer has failed


@dataclass
class Drive:
    """What a run brought: a row a turn, and what the generator itself took of the machine (share of one core)."""

    rows: list[Served]
    generator_cpu: float
    seconds: float


async def drive(scripts: Sequence[Script], front: Front) -> Drive:
    """Play all scripts to their ends."""
    process, rows = psutil.Process(), []
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as http:
        began, spent = time.perf_counter(), sum(process.cpu_times()[:2])
        await asyncio.gather(*(_talk(http, front, script, began, rows) for script in scripts))
        seconds = time.perf_counter() - began
    return Drive(rows, (sum(process.cpu_times()[:2]) - spent) / seconds, seconds)


async def _talk(http: aiohttp.ClientSession, front: Front, script: Script, began: float, rows: list[Served]) -> None:
    talk, last = script.talk, None
    for index, due_s in enumerate(talk.due_s):
        await asyncio.sleep(began + due_s - time.perf_counter())
        sent_s = time.perf_counter() - began
        body = request(script.prompts[index], SERVED_MODEL, talk.reply_tokens[index])
        reply = await complete(http, front.url_of(script, index), body, front.headers(script))
        # Most routers do not say where a turn went; the benchmark's replicas sign.
        replica = reply.fingerprint or reply.replica or ""
        moved = bool(last and replica and replica != last)
        last = replica or last
        rows.append(_row(script, index, sent_s, reply, replica, moved))


def _row(script: Script, index: int, sent_s: float, reply: Reply, replica: str, moved: bool) -> Served:
    return Served(
        conversation=script.talk.id,
        index=index + 1,
        due_s=sent_s,
        replica=replica,
        ttft_ms=reply.ttft_ms if reply.ttft_ms is not None else inf,
        total_ms=reply.total_ms if reply.total_ms is not None else inf,
        prompt_tokens=script.talk.prompt_tokens[index],
        cached_tokens=reply.cached_tokens,
        failed=bool(reply.failure),
        moved=moved,
        reason=reply.failure,
    )
