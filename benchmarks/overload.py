"""More customers than the replicas can answer: `python -m benchmarks.overload --replicas URL,URL`.

Starts a `web` of its own over replicas that run already, finds its capacity with customers who ask as fast as they are
answered, then offers messages at fixed rates, come what may. Goodput counts replies that were whole within
`--within` seconds of the post; a refusal (429) is neither good nor failed, but must come at once.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.client import ENDS, Customer

TEXTS = ("Where is my order 10234?", "I want to cancel it.", "How can I pay?", "The box was open when it came.")
NO_LIMITS = {f"PINDESK_{name}_LIMIT": "1000000/minute" for name in ("CONVERSATION", "ADDRESS", "SITE", "OPEN")}


@dataclass
class Stage:
    """What came of the messages of one rate. Times in ms."""

    offered_per_s: float
    seconds: float
    posted: int = 0
    late: int = 0
    failed: int = 0
    reply_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    retry_after_s: list[float] = field(default_factory=list)

    @property
    def goodput(self) -> float:
        return len(self.reply_ms) / self.seconds

    def told(self) -> dict[str, object]:
        return {
            "offered_per_s": round(self.offered_per_s, 2),
            "goodput_per_s": round(self.goodput, 2),
            "posted": self.posted,
            "good": len(self.reply_ms),
            "late": self.late,
            "failed": self.failed,
            "refused": len(self.refused_ms),
            "reply_ms p50/p95": [percentile(self.reply_ms, share) for share in (0.5, 0.95)],
            "refusal_ms p50/p95/max": [percentile(self.refused_ms, share) for share in (0.5, 0.95, 1.0)],
            "retry_after_s": sorted(set(self.retry_after_s)),
        }


def percentile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None


class Crowd:
    """Customers with a conversation each, of whom those who wait for no reply ask next."""

    def __init__(self, customers: list[Customer], within_s: float) -> None:
        self.idle = customers
        self.within_s = within_s

    async def ask(self, stage: Stage) -> None:
        """One message of one customer, to the end of its reply."""
        customer = self.idle.pop(0)
        try:
            await self._ask(customer, stage)
        finally:
            self.idle.append(customer)

    async def _ask(self, customer: Customer, stage: Stage) -> None:
        began = time.perf_counter()
        turn = {"text": TEXTS[stage.posted % len(TEXTS)], "client_turn_id": uuid.uuid4().hex}
        stage.posted += 1
        answer = await customer.http.post(f"{customer.path}/turns", json=turn, headers=customer.headers)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            stage.refused_ms.append((time.perf_counter() - began) * 1000)
            stage.retry_after_s.append(float(answer.headers["Retry-After"]))
            return
        answer.raise_for_status()
        async for kind, data in customer.events():
            if kind in ENDS and data.get("turn_id") == answer.json()["turn_id"]:
                break
        took_s = time.perf_counter() - began
        if kind != "reply.done":
            stage.failed += 1
        elif took_s > self.within_s:
            stage.late += 1
        else:
            stage.reply_ms.append(took_s * 1000)

    async def closed(self, customers: int, seconds: float) -> Stage:
        """So many customers who ask as soon as they are answered."""
        stage, until = Stage(0, seconds), time.monotonic() + seconds

        async def one() -> None:
            while time.monotonic() < until:
                await self.ask(stage)

        await asyncio.gather(*(one() for _ in range(customers)))
        return stage

    async def offered(self, per_s: float, seconds: float) -> Stage:
        """Messages at a fixed rate."""
        stage, asked = Stage(per_s, seconds), set[asyncio.Task[None]]()
        began = time.monotonic()
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
            if not self.idle:
                raise RuntimeError("Every customer waits for a reply: ask for more --customers.")
            asked.add(asyncio.create_task(self.ask(stage)))
        await asyncio.gather(*asked)
        return stage


@contextmanager
def web(replicas: str, port: int) -> Iterator[str]:
    """A `web` process over the replicas, without limits for one address."""
    with TemporaryDirectory() as folder:
        env = {"PINDESK_VAR_DIR": folder, "PINDESK_REPLICAS": replicas, "PINDESK_PORT": str(port),
               "PINDESK_OTLP_PORT": "0", "PINDESK_LOG_LEVEL": "warning"}  # fmt: skip
        with Path(folder, "web.log").open("w") as log:
            argv = [sys.executable, "-m", "chat.web"]
            process = subprocess.Popen(argv, env=os.environ | NO_LIMITS | env, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _wait_ready(url: str, process: subprocess.Popen[bytes], within_s: float = 120) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise RuntimeError("web did not become ready")


async def measure(url: str, given: argparse.Namespace) -> list[dict[str, object]]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as http:
        crowd = Crowd([await Customer.open(http) for _ in range(given.customers)], given.within)
        await crowd.closed(given.closed, given.seconds / 2)
        closed = await crowd.closed(given.closed, given.seconds)
        told = [{"customers": given.closed} | closed.told()]
        print(json.dumps(told[-1]), flush=True)
        for factor in given.factors:
            stage = await crowd.offered(factor * closed.goodput, given.seconds)
            told.append({"times_capacity": factor} | stage.told())
            print(json.dumps(told[-1]), flush=True)
            await asyncio.sleep(1)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--replicas", help="HTTP roots of running replicas, separated by commas")
    where.add_argument("--url", help="a web server that runs already, with its limits lifted")
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--closed", type=int, default=16, help="customers whose pace is the capacity")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--within", type=float, default=10.0)
    parser.add_argument("--factors", type=float, nargs="+", default=[0.5, 1.0, 3.0])
    given = parser.parse_args()
    if given.url:
        told = asyncio.run(measure(given.url, given))
    else:
        with web(given.replicas, given.port) as url:
            told = asyncio.run(measure(url, given))
    good = {row.get("times_capacity"): row["goodput_per_s"] for row in told}
    print(json.dumps({"peak": max(good.values()), "at": good}))


if __name__ == "__main__":
    main()
