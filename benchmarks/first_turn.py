"""What warming up saves a conversation's first turn: `python -m benchmarks.first_turn`, on real replicas.

    cold        the first conversation of a brand on a replica
    warm        after the very request that `chat.warm` makes of a replica before customers come

A grammar cannot be warmed: each message has its own, see `benchmarks.narrowed`. Each turn has a cache salt of its own,
so that nothing is left over from the one before; the states take turns. Nothing else should run on the machine.
"""

import argparse
import asyncio
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.arms import GUIDED, MAX_TOKENS
from benchmarks.decoding import Decoded, decode, served
from benchmarks.first_reply import percentile
from benchmarks.guided import branded
from chat.settings import Settings
from chat.warm import OPENING
from prompts import Line, LineRole, Pack, assemble, load_pack, prompt_form, turn_schema
from prompts.check import PACKS
from prompts.probes import probes

STATES = ("cold", "warm")
WARM_UP = "warm-up itself"


@dataclass(frozen=True)
class FirstTurns:
    """First turns of one pack on one replica."""

    http: httpx.AsyncClient
    url: str
    model: str
    pack: Pack

    async def run(self, state: str, question: str) -> dict[str, Decoded]:
        """The first turn of a brand that nobody has served, after what `state` says has been warmed."""
        salt = uuid4().hex
        told = {WARM_UP: await self._ask(OPENING, salt, max_tokens=1)} if state == "warm" else {}
        return told | {state: await self._ask(question, salt)}

    async def _ask(self, text: str, salt: str, max_tokens: int = MAX_TOKENS) -> Decoded:
        """Guided by a schema that no other brand has."""
        asked = prompt_form(text)
        messages = assemble(self.pack, [Line(LineRole.CUSTOMER, asked)])
        body = {"model": self.model, "messages": messages, "max_tokens": max_tokens, "cache_salt": salt}
        guided = {"structured_outputs": {"json": branded(turn_schema(self.pack, [asked]), salt)}}
        return await decode(self.http, self.url, body | guided, GUIDED)


def figures(turns: Sequence[Decoded]) -> dict[str, float]:
    """Times in ms, the cached share of the prompt."""
    first, whole = ([turn.moments[name][0] for turn in turns] for name in ("first_text", "reply"))
    return {
        "turns": len(turns),
        "first_text_ms": statistics.median(first),
        "first_text_p95_ms": percentile(first, 0.95),
        "reply_ms": statistics.median(whole),
        "reply_p95_ms": percentile(whole, 0.95),
        "cached_share": sum(turn.cached_tokens for turn in turns) / sum(turn.prompt_tokens for turn in turns),
    }


def report(rows: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"  {'':<16}{'first text':>12}{'p95':>9}{'whole reply':>14}{'p95':>9}{'cached':>9}"]
    for name, row in rows.items():
        lines.append(
            f"  {name:<16}{row['first_text_ms']:>9.0f} ms{row['first_text_p95_ms']:>6.0f} ms"
            f"{row['reply_ms']:>11.0f} ms{row['reply_p95_ms']:>6.0f} ms{row['cached_share']:>9.1%}"
        )
    return "\n".join(lines)


async def measure(urls: Sequence[str], rounds: int) -> dict[str, Any]:
    """Every state on every replica, `rounds` times, one turn at a time: {state: figures}."""
    pack = load_pack(PACKS / "demo-shop")
    questions = [probe for template in pack.offered for probe in probes(template)]
    turns: dict[str, list[Decoded]] = {WARM_UP: []} | {state: [] for state in STATES}
    async with httpx.AsyncClient(timeout=300, trust_env=False) as http:
        about = await served(http, urls[0])
        for number in range(rounds):
            for url in urls:
                first = FirstTurns(http, url, about["model"], pack)
                for state in STATES:
                    for name, turn in (await first.run(state, questions[number % len(questions)])).items():
                        turns[name].append(turn)
    return about | {"templates": len(pack.offered), "rows": {name: figures(turns[name]) for name in (*STATES, WARM_UP)}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=lambda text: text.split(","), help="URL[,URL]; the system's by default")
    parser.add_argument("--rounds", type=int, default=10, help="first turns of each state on each replica")
    parser.add_argument("--save", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    results = asyncio.run(measure(options.replicas or Settings().replica_urls, options.rounds))
    print(report(results["rows"]))
    if options.save:
        results |= {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
        options.save.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
