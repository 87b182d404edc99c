"""What stands between a client and the engine costs: `python -m benchmarks.endpoint_overhead`.

A fake engine that answers at once, asked directly, through our endpoint, through the Rust router and through LiteLLM
Router's own `acompletion`, each in a process of its own. Prints for each the time to the first token with one client,
with 16 open-loop clients at 30 % of the rate that 16 closed-loop ones reach directly (or at `--rate`), the most that 16
closed-loop ones get of it, and the CPU time of its process for a request and for a chunk, of replies whose chunks come
one by one. `--replica URL` puts a real one in the fake's place, and leaves the CPU out.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import psutil

from backend.replica import SERVED_MODEL
from benchmarks.first_reply import percentile
from benchmarks.live.arms import Front, front
from benchmarks.stream import Reply, complete, request
from tests.processes import free_port

DIRECT, OURS, RUST, LITELLM = "direct", "ours", "sticky_least_loaded", "litellm_session_affinity"
ARMS = (DIRECT, OURS, RUST, LITELLM)

CLIENTS = 16
SHARE = 0.3
CHUNKS = 16
MANY_CHUNKS = 256
CHUNK_MS = 2.0

PROMPT = [
    {"role": "system", "content": "You answer customers of a shop. " * 60},
    {"role": "user", "content": "Where is my order 10234?"},
]


@dataclass(frozen=True)
class Figures:
    """Times in ms. `most` and `rate` are replies a second: what closed-loop clients get and what the open-loop ones
    offered, of which `failed` came to nothing."""

    arm: str
    one_p50: float
    one_p95: float
    most: float
    open_p50: float
    open_p95: float
    rate: float
    failed: int
    cpu_request: float = float("nan")
    cpu_chunk: float = float("nan")


class Clients:
    """Sessions of one arm. Each has its own name, so that a sticky router has something to keep."""

    def __init__(self, http: aiohttp.ClientSession, arm: Front) -> None:
        self._http, self._arm = http, arm

    async def ask(self, session: int, chunks: int = CHUNKS) -> Reply:
        headers = {"X-Session-Id": f"session-{session:04x}"} | dict(self._arm.bearer)
        return await complete(self._http, self._arm.url, request(PROMPT, SERVED_MODEL, chunks), headers)

    async def in_turn(self, count: int, chunks: int = CHUNKS) -> list[Reply]:
        return [await self.ask(0, chunks) for _ in range(count)]

    async def at_once(self, seconds: float) -> float:
        """Replies a second that closed-loop clients get."""
        until, done = time.perf_counter() + seconds, 0

        async def one(session: int) -> None:
            nonlocal done
            while time.perf_counter() < until:
                reply = await self.ask(session)
                done += not reply.failure

        await asyncio.gather(*map(one, range(CLIENTS)))
        return done / seconds

    async def at_rate(self, rate: float, seconds: float) -> list[Reply]:
        """Requests at random moments, whether or not the earlier ones were answered; the same moments for each arm."""
        moments, at = random.Random(7), 0.0
        asked: list[Awaitable[Reply]] = []
        began = time.perf_counter()
        while (at := at + moments.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
            asked.append(asyncio.create_task(self.ask(len(asked) % CLIENTS)))
        return list(await asyncio.gather(*asked))


@contextmanager
def fake_engine(chunk_ms: float) -> Iterator[Front]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.fake_engine", "--port", str(port), "--chunk-ms", str(chunk_ms)]
    child = subprocess.Popen(command)
    try:
        yield Front(DIRECT, [f"http://127.0.0.1:{port}"], [psutil.Process(child.pid)])
    finally:
        child.terminate()
        child.wait()


@contextmanager
def arm_of(name: str, engine: Front, folder: Path) -> Iterator[Front]:
    if name == DIRECT:
        yield engine
        return
    with front(name, [engine.url], folder) as running:
        yield running


async def with_clients(arm: Front, work: Callable[[Clients], Awaitable[Any]]) -> Any:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        clients = Clients(http, arm)
        while (await clients.ask(0)).failure:
            await asyncio.sleep(0.1)
        await clients.in_turn(30)
        return await work(clients)


def first_ms(replies: Sequence[Reply]) -> list[float]:
    return [reply.ttft_ms for reply in replies if reply.ttft_ms is not None]


async def latencies(clients: Clients, rate: float, count: int, seconds: float) -> dict[str, float]:
    one = first_ms(await clients.in_turn(count))
    most = await clients.at_once(seconds / 2)
    replies = await clients.at_rate(rate, seconds)
    some = first_ms(replies)
    return {
        "one_p50": statistics.median(one),
        "one_p95": percentile(one, 0.95),
        "most": most,
        "open_p50": percentile(some, 0.5),
        "open_p95": percentile(some, 0.95),
        "rate": rate,
        "failed": sum(bool(reply.failure) for reply in replies),
    }


async def cpu(clients: Clients, arm: Front, count: int) -> dict[str, float]:
    """From replies of few chunks and of many: what a request costs, and what each chunk adds."""
    spent = {}
    for chunks in (CHUNKS, MANY_CHUNKS):
        before = arm.cpu_s()
        await asyncio.gather(*(clients.ask(number % CLIENTS, chunks) for number in range(count)))
        spent[chunks] = (arm.cpu_s() - before) * 1000 / count
    chunk = (spent[MANY_CHUNKS] - spent[CHUNKS]) / (MANY_CHUNKS - CHUNKS)
    return {"cpu_chunk": chunk, "cpu_request": spent[CHUNKS] - CHUNKS * chunk}


def measure(arms: Sequence[str], count: int, seconds: float, rate: float | None, folder: Path) -> list[Figures]:
    with fake_engine(0) as engine, fake_engine(CHUNK_MS) as paced:
        rate = rate or bearable(engine, seconds)
        results = []
        for name in arms:
            with arm_of(name, engine, folder) as arm:
                figures = asyncio.run(with_clients(arm, lambda clients: latencies(clients, rate, count, seconds)))
            if name != DIRECT:
                with arm_of(name, paced, folder) as arm:
                    figures |= asyncio.run(with_clients(arm, lambda clients, arm=arm: cpu(clients, arm, 64)))
            results.append(Figures(name, **figures))
            print(line(results[-1], results[0]), flush=True)
        return results


def measure_real(
    url: str, arms: Sequence[str], count: int, seconds: float, rate: float | None, folder: Path
) -> list[Figures]:
    """A replica that is not ours: its process is not looked at."""
    engine = Front(DIRECT, [url], [])
    rate = rate or bearable(engine, seconds)
    results = []
    for name in arms:
        with arm_of(name, engine, folder) as arm:
            figures = asyncio.run(with_clients(arm, lambda clients: latencies(clients, rate, count, seconds)))
        results.append(Figures(name, **figures))
        print(line(results[-1], results[0]), flush=True)
    return results


def bearable(engine: Front, seconds: float) -> float:
    """The open-loop clients' requests a second: a share of what closed-loop ones get directly."""
    return SHARE * asyncio.run(with_clients(engine, lambda clients: clients.at_once(seconds)))


def line(one: Figures, direct: Figures) -> str:
    added = f"(added {one.one_p50 - direct.one_p50:.2f}, {one.open_p50 - direct.open_p50:.2f})"
    return (
        f"{one.arm:<26} first token, one client: {one.one_p50:6.2f} p95 {one.one_p95:6.2f} ms   most {one.most:5.0f}/s"
        f"   16 at {one.rate:.0f}/s:"
        f" {one.open_p50:7.2f} p95 {one.open_p95:7.2f} ms {added}   failed {one.failed}"
        f"   CPU: request {one.cpu_request:.2f} ms, chunk {one.cpu_chunk:.3f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="*", default=ARMS, choices=ARMS)
    parser.add_argument("--requests", type=int, default=200, help="of one client, in turn")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each part with 16 clients")
    parser.add_argument("--rate", type=float, help="requests a second of the open-loop clients")
    parser.add_argument("--replica", metavar="URL", help="a real one, instead of the fake engine")
    parser.add_argument("--save", type=Path, help="write the figures to this JSON file")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        if given.replica:
            results = measure_real(given.replica, given.arms, given.requests, given.seconds, given.rate, Path(folder))
        else:
            results = measure(given.arms, given.requests, given.seconds, given.rate, Path(folder))
    if given.save:
        given.save.write_text(json.dumps([asdict(one) for one in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
