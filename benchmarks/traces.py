"""Whether every turn has its tree under faults, what the trees explain, and what leaks: `python -m benchmarks.traces`.

On a running system (`make run`), whose limits for customers are raised by environment (`PINDESK_*_LIMIT`): customers
talk at once; some stop their replies, and a replica, the web server and the other replica are killed while they do
(`--kill`, by the supervisor's control program, which starts them again). Every second message carries one of fifty
canaries. Then the traces of every accepted turn are read:

    one root            turns whose trace has exactly one root span, the turn's own
    engine's span       finished attempts that have the engine's span under them, from the replica that they went to
    explained           share of the turns' time that lies in a named part (`telemetry.explain`)

and the canaries are searched in the logs, the trace store, the metrics and what a program is told by webhooks (a
receiver of this command's own; the system allows it with PINDESK_WEBHOOK_PRIVATE_TARGETS=true). To show that the search
finds something, the transcripts are searched, too.
"""

import argparse
import asyncio
import itertools
import json
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from benchmarks.canaries import Canary, canaries, found_in, told
from benchmarks.client import Customer
from benchmarks.first_reply import QUESTIONS, percentile
from chat.settings import Settings
from chat.webhooks.__main__ import new_secret
from sessions import Store
from telemetry.explain import parts
from telemetry.identity import turn_span_id
from telemetry.names import (
    ATTEMPT_OUTCOME,
    LLM_REQUEST,
    REPLICA,
    TURN,
    TURN_OUTCOME,
    AttemptOutcome,
    is_chat_span,
)
from telemetry.record import SpanRecord
from telemetry.store import SpanStore
from telemetry.tree import SpanNode, TraceTree, build_tree

STOP_SHARE = 0.05
SETTLE_S = 3.0
KILLED = ("replica-1", "web", "replica-0")
SITE = "demo"


@dataclass
class Seen:
    """What the traces of a run show."""

    outcomes: Counter[str] = field(default_factory=Counter)
    roots: Counter[int] = field(default_factory=Counter)
    finished: int = 0
    with_engine: int = 0
    astray: int = 0
    whole_ms: float = 0.0
    unknown_ms: float = 0.0
    explained: list[float] = field(default_factory=list)
    spans: list[int] = field(default_factory=list)

    def take(self, turn_id: str, trace: Sequence[SpanRecord]) -> None:
        """One turn and every span of its trace; each turn of this command has a trace of its own."""
        tree = build_tree(trace, turn_id)
        known = {span.span_id for span in trace}
        self.roots[sum(span.parent_id not in known for span in trace)] += 1
        self.astray += len(trace) - len(tree["spans"])
        self.spans.append(sum(span["service"] == "web" for span in tree["spans"]))
        self._take_attempts(tree)
        for turn in (span for span in tree["spans"] if span["name"] == TURN):
            self.outcomes[str(turn["attributes"].get(TURN_OUTCOME, "unfinished"))] += 1
            self._take_time(tree, turn)

    def _take_attempts(self, tree: TraceTree) -> None:
        for attempt in (span for span in tree["spans"] if is_chat_span(span["name"])):
            if attempt["attributes"].get(ATTEMPT_OUTCOME) == AttemptOutcome.FINISHED:
                self.finished += 1
                below = (span for span in tree["spans"] if span["parent_id"] == attempt["span_id"])
                engines = [span["service"] for span in below if span["name"] == LLM_REQUEST]
                self.with_engine += engines == [attempt["attributes"].get(REPLICA)]

    def _take_time(self, tree: TraceTree, turn: SpanNode) -> None:
        whole_ms = (turn["end_ns"] - turn["start_ns"]) / 1e6
        unknown_ms = sum(part.ms for part in parts(tree, turn) if part.name == "unexplained")
        self.whole_ms += whole_ms
        self.unknown_ms += unknown_ms
        self.explained.append(1 - unknown_ms / whole_ms if whole_ms else 1.0)

    def report(self) -> str:
        turns = sum(self.roots.values())
        rows = [
            f"{turns} turns: {dict(self.outcomes)}",
            f"exactly one root   {self.roots[1] / turns:.2%}; spans outside of their tree: {self.astray}",
            f"engine's span under its finished attempt   {self.with_engine} of {self.finished} "
            f"({self.with_engine / max(1, self.finished):.2%})",
            f"time explained   {1 - self.unknown_ms / self.whole_ms:.2%} of all; by turn median "
            f"{percentile(self.explained, 0.5):.1%}, 5 % of the turns below {percentile(self.explained, 0.05):.1%}",
            f"spans of ours a turn   median {percentile(self.spans, 0.5):.0f}, most {max(self.spans, default=0)}",
        ]
        return "\n".join(rows)


@dataclass
class Talk:
    """A customer and the ids of the accepted turns."""

    customer: Customer
    turns: list[str]


async def talk(http: httpx.AsyncClient, texts: Sequence[str], dice: random.Random) -> Talk:
    """One conversation. A server that is away is asked again."""
    customer = await _patiently(lambda: Customer.open(http, SITE))
    accepted: list[str] = []
    for text in texts:
        body = {"text": text, "client_turn_id": uuid.uuid4().hex}
        turn_id = await _patiently(lambda body=body: _post(customer, body))
        accepted.append(turn_id)
        if dice.random() < STOP_SHARE:
            await asyncio.sleep(dice.random() * 0.2)
            path = f"{customer.path}/turns/{turn_id}/stop"
            await _patiently(lambda path=path: http.post(path, headers=customer.headers))
        await _patiently(lambda: _ended(customer, len(accepted)))
    return Talk(customer, accepted)


def texts(planted: Sequence[Canary]) -> Iterator[str]:
    """What customers write, without end: every second message has a canary in it."""
    birds = itertools.cycle(planted)
    for index, question in enumerate(itertools.cycle(QUESTIONS)):
        yield question if index % 2 else f"{next(birds).said} {question}"


async def _post(customer: Customer, body: dict[str, str]) -> str:
    _, answer = await customer.accepted(body)
    return answer.json()["turn_id"]


async def _ended(customer: Customer, turns: int) -> None:
    """Until every turn of the conversation has its end in the log."""
    ended = 0
    customer.seen = 0
    async for kind, _ in customer.events():
        ended += kind in ("reply.done", "turn.stopped", "turn.failed")
        if ended >= turns:
            return


async def _patiently(call: Any) -> Any:
    while True:
        try:
            return await call()
        except (httpx.TransportError, httpx.HTTPStatusError):
            await asyncio.sleep(0.5)


async def _kill(control: Sequence[str], pause_s: float) -> None:
    for name in KILLED:
        await asyncio.sleep(pause_s)
        process = await asyncio.create_subprocess_exec(*control, "signal", "KILL", name)
        await process.wait()
        print(f"killed {name}", flush=True)


async def measure(options: argparse.Namespace, settings: Settings) -> str:
    planted, dice, began_ns = canaries(), random.Random(options.seed), time.time_ns()
    written = list(itertools.islice(texts(planted), options.turns))
    waiting = [written[first : first + len(QUESTIONS)] for first in range(0, len(written), len(QUESTIONS))]
    talks: list[Talk] = []
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=options.url, timeout=60, limits=limits, trust_env=False) as http,
        _called_back(settings) as bodies,
    ):
        control = [".venv/app/bin/python", "-m", "supervisor.supervisorctl", "-c", str(options.supervisor)]
        killing = asyncio.create_task(_kill(control, options.kill)) if options.kill else None
        await asyncio.gather(*(_talk_on(http, waiting, talks, dice) for _ in range(options.at_once)))
        took_s = (time.time_ns() - began_ns) / 1e9
        if killing:
            await killing
        await asyncio.sleep(SETTLE_S)
        transcripts, metrics = await _transcripts(talks), (await http.get("/metrics")).raise_for_status().text
    spans = SpanStore(settings.database_url).ended_since(began_ns)
    places = {
        "transcripts (they must be)": transcripts,
        "metrics": metrics,
        f"{len(bodies)} webhooks": "\n".join(bodies),
        f"{len(spans)} spans": json.dumps([asdict(span) for span in spans], ensure_ascii=False),
        "logs": "\n".join(log.read_text(errors="replace") for log in (settings.var_dir / "log").iterdir()),
    }
    searched = [(f"{place}, {len(text):,} characters", found_in(text, planted)) for place, text in places.items()]
    return f"{_seen(spans, talks).report()}\nThe run took {took_s:.0f} s.\n{told(searched)}"


def _seen(spans: Sequence[SpanRecord], talks: Sequence[Talk]) -> Seen:
    traces, trace_of = defaultdict[str, list[SpanRecord]](list), dict[str, str]()
    for span in spans:
        traces[span.trace_id].append(span)
        trace_of[span.span_id] = span.trace_id
    seen = Seen()
    for turn_id in (turn_id for each in talks for turn_id in each.turns):
        seen.take(turn_id, traces.get(trace_of.get(turn_span_id(turn_id), ""), []))
    return seen


async def _talk_on(http: httpx.AsyncClient, waiting: list[list[str]], talks: list[Talk], dice: random.Random) -> None:
    while waiting:
        talks.append(await talk(http, waiting.pop(0), dice))


async def _transcripts(talks: Sequence[Talk]) -> str:
    read = []
    for customer in (each.customer for each in talks):
        answer = await customer.http.get(f"{customer.path}/messages", headers=customer.headers)
        read += [line["content"] for line in answer.raise_for_status().json()["data"]]
    return "\n".join(read)


@asynccontextmanager
async def _called_back(settings: Settings) -> AsyncIterator[list[str]]:
    """The bodies that a program gets which is called back with everything of the site."""
    bodies: list[str] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response(status=204)

    app, store = web.Application(), Store(settings.database_url)
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with store.begin() as repo:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        endpoint = await repo.webhooks.add(SITE, url, new_secret(), kinds=None, masked=True)
    try:
        yield bodies
    finally:
        async with store.begin() as repo:
            await repo.webhooks.remove(endpoint.id)
        await store.close()
        await runner.cleanup()


def main() -> None:
    settings = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=f"http://{settings.host}:{settings.port}")
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--kill", type=float, metavar="SECONDS", help="kill a process every so often, three in all")
    parser.add_argument("--supervisor", type=Path, default=settings.var_dir / "supervisord.conf")
    parser.add_argument("--seed", type=int, default=1)
    print(asyncio.run(measure(parser.parse_args(), settings)))


if __name__ == "__main__":
    main()
