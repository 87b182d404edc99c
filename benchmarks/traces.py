"""Whether every turn has its tree under faults, and what the trees explain: `python -m benchmarks.traces`.

On a running system (`make run`): customers talk at once; some stop their replies, and a replica and the web server are
killed while they do (`--kill`, by the supervisor's control program, which starts them again). Then the tree of every
accepted turn is read:

    one root            turns with exactly one root span
    engine's span       finished attempts with the engine's span under them
    explained           share of the turns' time that lies in a named part (`telemetry.explain`)
"""

import argparse
import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.client import Customer
from benchmarks.first_reply import QUESTIONS, percentile
from chat.settings import Settings
from telemetry.explain import parts
from telemetry.names import ATTEMPT_OUTCOME, LLM_REQUEST, TURN, TURN_OUTCOME, AttemptOutcome, is_chat_span

STOP_SHARE = 0.05
SETTLE_S = 3.0
KILLED = ("replica-1", "web", "replica-0")


@dataclass
class Seen:
    """What the trees of a run show."""

    outcomes: Counter[str] = field(default_factory=Counter)
    roots: Counter[int] = field(default_factory=Counter)
    finished: int = 0
    with_engine: int = 0
    explained: list[float] = field(default_factory=list)
    spans: list[int] = field(default_factory=list)

    def take(self, tree: dict[str, Any]) -> None:
        spans = tree["spans"]
        turns = [span for span in spans if span["parent_id"] is None]
        self.roots[len(turns)] += 1
        self.spans.append(sum(span["service"] == "web" for span in spans))
        for attempt in (span for span in spans if is_chat_span(span["name"])):
            if attempt["attributes"].get(ATTEMPT_OUTCOME) == AttemptOutcome.FINISHED:
                self.finished += 1
                below = (span["name"] for span in spans if span["parent_id"] == attempt["span_id"])
                self.with_engine += LLM_REQUEST in below
        if len(turns) == 1 and turns[0]["name"] == TURN:
            outcome = turns[0]["attributes"].get(TURN_OUTCOME, "unfinished")
            self.outcomes[outcome] += 1
            if outcome == "done":
                self.explained.append(explained(tree, turns[0]))

    def report(self) -> str:
        turns = sum(self.roots.values())
        rows = [
            f"{turns} turns: {dict(self.outcomes)}",
            f"exactly one root   {self.roots[1] / turns:.2%}",
            f"engine's span under its finished attempt   {self.with_engine} of {self.finished} "
            f"({self.with_engine / max(1, self.finished):.2%})",
            f"time explained   median {percentile(self.explained, 0.5):.1%}, "
            f"5 % of the turns below {percentile(self.explained, 0.05):.1%}, "
            f"over all {sum(self.explained) / max(1, len(self.explained)):.1%}",
            f"spans of ours a turn   median {percentile(self.spans, 0.5):.0f}, most {max(self.spans, default=0)}",
        ]
        return "\n".join(rows)


def explained(tree: dict[str, Any], turn: dict[str, Any]) -> float:
    """Share of the turn's time, 0 to 1, that lies in a named part."""
    whole_ms = (turn["end_ns"] - turn["start_ns"]) / 1e6
    unknown_ms = sum(part.ms for part in parts(tree, turn) if part.name == "unexplained")
    return 1 - unknown_ms / whole_ms


async def talk(http: httpx.AsyncClient, turns: int, dice: random.Random) -> list[str]:
    """One conversation; ids of the accepted turns. A server that is away is asked again."""
    customer = await _patiently(lambda: Customer.open(http))
    accepted = []
    for index in range(turns):
        body = {"text": QUESTIONS[index % len(QUESTIONS)], "client_turn_id": uuid.uuid4().hex}
        turn_id = await _patiently(lambda body=body: _post(customer, body))
        accepted.append(turn_id)
        if dice.random() < STOP_SHARE:
            await asyncio.sleep(dice.random() * 0.2)
            path = f"{customer.path}/turns/{turn_id}/stop"
            await _patiently(lambda path=path: http.post(path, headers=customer.headers))
        await _patiently(lambda: _ended(customer, len(accepted)))
    return accepted


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


async def measure(url: str, agent_key: str, options: argparse.Namespace) -> Seen:
    dice, seen = random.Random(options.seed), Seen()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as http:
        control = [".venv/app/bin/python", "-m", "supervisor.supervisorctl", "-c", str(options.supervisor)]
        killing = asyncio.create_task(_kill(control, options.kill)) if options.kill else None
        each = -(-options.turns // options.at_once)
        talks = await asyncio.gather(*(_talks(http, each, dice) for _ in range(options.at_once)))
        if killing:
            killing.cancel()
        await asyncio.sleep(SETTLE_S)
        headers = {"Authorization": f"Bearer {agent_key}"}
        for turn_id in (turn_id for accepted in talks for turn_id in accepted):
            answer = await http.get(f"/api/v1/agent/turns/{turn_id}/trace", headers=headers)
            seen.take(answer.raise_for_status().json())
    return seen


async def _talks(http: httpx.AsyncClient, turns: int, dice: random.Random) -> list[str]:
    accepted: list[str] = []
    while len(accepted) < turns:
        accepted += await talk(http, min(len(QUESTIONS), turns - len(accepted)), dice)
    return accepted


def main() -> None:
    settings = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=f"http://{settings.host}:{settings.port}")
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--kill", type=float, metavar="SECONDS", help="kill a process every so often, three in all")
    parser.add_argument("--supervisor", type=Path, default=settings.var_dir / "supervisord.conf")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    key = settings.agent_key.get_secret_value() if settings.agent_key else ""
    print(asyncio.run(measure(options.url, key, options)).report())


if __name__ == "__main__":
    main()
