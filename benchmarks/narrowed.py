"""What it costs that the grammar admits only the customer's own values: a part of `python -m benchmarks.guided`.

    new value           every conversation names an order number of its own: its schema has never been compiled
    same value          the next message of those conversations, which compiles nothing
    free                the same sort of messages, any value admitted: one schema for all of a pack

and the same where no message names a value (`no value`, again beside `free`). Arms take turns, and no question is ever
asked twice, so that no arm finds its prompt in the cache.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import count as counted
from itertools import cycle, islice
from operator import add
from random import SystemRandom
from typing import Any

from benchmarks.arms import Arm, Bench, Run, figures, guided, ratios
from prompts import Pack, prompt_form, reply_schema, turn_schema

ARMS = {"new value": "free, value", "same value": "free, value", "no value": "free, no value"}
"""By the arm: the one that it is compared with."""


class Questions:
    """Messages that nobody has sent yet, with and without an order number."""

    def __init__(self, pack: Pack, probes: Sequence[str]) -> None:
        nothing = turn_schema(pack, ())
        self._probes = cycle([probe for probe in probes if turn_schema(pack, [prompt_form(probe)]) is nothing])
        # A run after this one finds none of our numbers in a replica's memory.
        self._fresh = counted(SystemRandom().randrange(10**6, 9 * 10**6))

    def probes(self, count: int) -> list[str]:
        """What the next round's messages ask for, the same for each arm."""
        return list(islice(self._probes, count))

    def orders(self, count: int) -> list[str]:
        """Order numbers that were never used."""
        return [str(next(self._fresh)) for _ in range(count)]

    def without(self, probes: Sequence[str]) -> list[str]:
        """Messages without a value; a word of their own keeps each out of the others' cache."""
        return [f"{probe} ({_word(next(self._fresh))})" for probe in probes]


def about(orders: Sequence[str], probes: Sequence[str]) -> list[str]:
    """A message about each order."""
    return [f"My order is {order}. {probe}" for order, probe in zip(orders, probes, strict=True)]


def _word(number: int) -> str:
    """Letters that stand for a number."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


async def compare(bench: Bench, count: int, rounds: int, concurrencies: Sequence[int]) -> dict[str, Any]:
    """{concurrency: {arm: figures, "ratios": {arm: against the free one}}}."""
    questions, results = Questions(bench.pack, bench.questions), {}
    for at_once in concurrencies:
        runs: dict[str, list[Run]] = {}
        for _ in range(rounds):
            for name, asked, arm in _round(bench.pack, questions, count):
                run = await replace(bench, questions=asked).run(arm, count, at_once)
                runs.setdefault(name, []).append(run)
        results[str(at_once)] = {name: figures(reduce(add, each)) for name, each in runs.items()} | {
            "ratios": {name: ratios(runs[name], runs[free]) for name, free in ARMS.items()}
        }
    return results


def _round(pack: Pack, questions: Questions, count: int) -> Iterator[tuple[str, list[str], Callable[[int], Arm]]]:
    """Each arm's messages, and how each of them is sent."""
    orders, probes, whole = questions.orders(count), questions.probes(count), reply_schema(pack)
    for name, asked in (
        ("new value", about(orders, probes)),
        ("same value", about(orders, [*probes[1:], probes[0]])),
        ("free, value", about(questions.orders(count), probes)),
        ("no value", questions.without(probes)),
        ("free, no value", questions.without(probes)),
    ):
        schemas = [whole if name.startswith("free") else turn_schema(pack, [prompt_form(text)]) for text in asked]
        arms = [guided(name, schema) for schema in schemas]
        yield name, asked, arms.__getitem__


def told(rows: Mapping[str, Any]) -> list[str]:
    """How much later than the free one each arm's first token came, in lines for a terminal."""
    return [
        f"  {name} against {free}: first token {rows[name]['first_token_ms'] - rows[free]['first_token_ms']:+.0f} ms, "
        f"whole reply {rows[name]['reply_ms'] - rows[free]['reply_ms']:+.0f} ms, tokens per second "
        f"{rows['ratios'][name]['tokens_per_s']['median']:.2f}"
        for name, free in ARMS.items()
    ]
