"""What it costs that the grammar admits only the customer's own words: a part of `python -m benchmarks.guided`.

    own words   each message has a schema of its own, which the engine compiles first
    free        the same sort of messages, any words admitted: one schema for all of a pack

Arms take turns, and no message is sent twice, so that no arm finds its prompt or its schema in a cache.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import count as counted
from itertools import cycle, islice
from operator import add
from random import SystemRandom
from typing import Any

from benchmarks.arms import Arm, Bench, Run, figures, guided, ratios
from prompts import Pack, prompt_form, reply_schema, turn_schema

OWN_WORDS, FREE = "own words", "free"


def messages(probes: Sequence[str]) -> Iterator[str]:
    """Messages that nobody has sent yet: each is about an order of its own."""
    # A run after this one finds none of our numbers in a replica's memory.
    orders = counted(SystemRandom().randrange(10**6, 9 * 10**6))
    return (f"My order is {order}. {probe}" for order, probe in zip(orders, cycle(probes)))


async def compare(bench: Bench, count: int, rounds: int, concurrencies: Sequence[int]) -> dict[str, Any]:
    """{concurrency: {arm: figures, "ratios": {"own words": against free}}}."""
    fresh, results = messages(bench.questions), {}
    for at_once in concurrencies:
        runs: dict[str, list[Run]] = {OWN_WORDS: [], FREE: []}
        for _ in range(rounds):
            for name, told in runs.items():
                asked = list(islice(fresh, count))
                arms = [_arm(name, bench.pack, text) for text in asked]
                told.append(await replace(bench, questions=asked).run(arms.__getitem__, count, at_once))
        results[str(at_once)] = {name: figures(reduce(add, each)) for name, each in runs.items()} | {
            "ratios": {OWN_WORDS: ratios(runs[OWN_WORDS], runs[FREE])}
        }
    return results


def _arm(name: str, pack: Pack, text: str) -> Arm:
    return guided(name, reply_schema(pack) if name == FREE else turn_schema(pack, [prompt_form(text)]))


def told(rows: Mapping[str, Any]) -> str:
    """How much later than the free one's the first token came, in a line for a terminal."""
    own, free = rows[OWN_WORDS], rows[FREE]
    return (
        f"  {OWN_WORDS} against {FREE}: first token {own['first_token_ms'] - free['first_token_ms']:+.0f} ms, "
        f"whole reply {own['reply_ms'] - free['reply_ms']:+.0f} ms, tokens per second "
        f"{rows['ratios'][OWN_WORDS]['tokens_per_s']['median']:.2f}"
    )
