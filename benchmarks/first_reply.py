"""How soon a customer reads something, and what the cache saves: `python -m benchmarks.first_reply`.

On a running system: new conversations of four turns each. Prints median and 95th percentile of the time to the
first visible text and to the whole reply (seen by the client), the cached share of prompt tokens by turn number,
the replicas used, and how many turns left their pin.
"""

import argparse
import asyncio
import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.client import Customer, Heard
from chat.settings import Settings

QUESTIONS = (
    "Hi, I'd like to know where my order 10234 is",
    "and can you send me the invoice for it please?",
    "what does it cost to cancel?",
    "thanks, that helps",
)
KEPT = frozenset({"pinned", "placed"})
"""A first turn is `placed`, every later one should be `pinned`."""


async def converse(http: httpx.AsyncClient, site: str) -> tuple[Customer, list[Heard]]:
    customer = await Customer.open(http, site)
    return customer, [await customer.ask(question) for question in QUESTIONS]


async def details(http: httpx.AsyncClient, agent_key: str, conversation_id: str) -> list[dict[str, Any]]:
    """The agent's view of the assistant's messages, in order, once the engine has reported on each."""
    path, headers = f"/api/v1/agent/conversations/{conversation_id}", {"Authorization": f"Bearer {agent_key}"}
    async with asyncio.timeout(10):
        while True:
            answer = (await http.get(path, headers=headers)).raise_for_status()
            replies = [message for message in answer.json()["messages"] if message["role"] == "assistant"]
            if all(reported(reply) for reply in replies):
                return replies
            await asyncio.sleep(0.05)


def reported(reply: dict[str, Any]) -> bool:
    return reply["usage"] is not None and reply["usage"]["prompt_tokens"] is not None


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; nan when there is nothing to rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def summary(heard: list[Heard], seen_by_agent: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """All figures of a run, times in ms."""
    first = [h.first_text_ms for h in heard if h.first_text_ms is not None]
    whole = [h.total_ms for h in heard if h.total_ms is not None]
    prompt: dict[int, int] = defaultdict(int)
    cached: dict[int, int] = defaultdict(int)
    for messages in seen_by_agent:
        for index, message in enumerate(messages, start=1):
            prompt[index] += message["usage"]["prompt_tokens"]
            cached[index] += message["usage"]["cached_tokens"]
    return {
        "turns": len(heard),
        "not_replied": sum(h.ended != "reply.done" for h in heard),
        "first_text_ms": {"median": statistics.median(first), "p95": percentile(first, 0.95)},
        "whole_reply_ms": {"median": statistics.median(whole), "p95": percentile(whole, 0.95)},
        "cached_share": {index: cached[index] / prompt[index] for index in sorted(prompt)},
        "replicas": dict(Counter(m["replica"] for messages in seen_by_agent for m in messages)),
        "left_pin": sum(m["placement"] not in KEPT for messages in seen_by_agent for m in messages),
    }


def report(figures: dict[str, Any]) -> str:
    rows = [f"{figures['turns']} turns, {figures['not_replied']} without a reply"]
    for name in ("first_text_ms", "whole_reply_ms"):
        rows.append(f"{name:<16} median {figures[name]['median']:7.0f}   p95 {figures[name]['p95']:7.0f}")
    shares = ", ".join(f"turn {index}: {share:.1%}" for index, share in figures["cached_share"].items())
    rows.append(f"cached share of prompt tokens   {shares}")
    rows.append(f"replies by replica   {figures['replicas']}")
    rows.append(f"turns that left their pin   {figures['left_pin']}")
    return "\n".join(rows)


async def measure(url: str, site: str, agent_key: str, conversations: int, at_once: int) -> dict[str, Any]:
    gate = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:

        async def one() -> tuple[list[Heard], list[dict[str, Any]]]:
            async with gate:
                customer, heard = await converse(http, site)
            return heard, await details(http, agent_key, customer.conversation_id)

        results = await asyncio.gather(*(one() for _ in range(conversations)))
    return summary([h for heard, _ in results for h in heard], [messages for _, messages in results])


def main() -> None:
    settings = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=f"http://{settings.host}:{settings.port}")
    parser.add_argument("--site", default="demo")
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=1, help="customers who talk at the same time")
    parser.add_argument("--save", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    key = settings.agent_key.get_secret_value() if settings.agent_key else ""
    figures = asyncio.run(measure(options.url, options.site, key, options.conversations, options.at_once))
    print(report(figures))
    if options.save:
        figures |= {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "at_once": options.at_once}
        options.save.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
