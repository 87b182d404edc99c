"""Times of real replicas for the cost model: prompts of many lengths, with and without a cached beginning."""

import asyncio
import random
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import aiohttp

from benchmarks.simulation.cost import Pace, Sample
from benchmarks.stream import Reply, complete, request

NEW_WORDS = (10, 40, 120, 250, 400)
CACHED_WORDS = (0, 150, 350)
CROWDS = (1, 2, 4, 8)
_DECODED = 32
_WORDS = (
    "order",
    "parcel",
    "return",
    "refund",
    "invoice",
    "delivery",
    "address",
    "size",
    "gift",
    "card",
    "cancel",
    "help",
)


async def measure(urls: Sequence[str], model: str, seed: int = 1) -> tuple[list[Sample], list[Pace]]:
    """All replicas are measured at the same time, because they share the machine when they serve, too."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(120)) as http:
        runs = [_Replica(http, url, model, random.Random(f"{seed} {url}")) for url in urls]
        results = await asyncio.gather(*(run.measure() for run in runs))
    return [s for samples, _ in results for s in samples], [p for _, paces in results for p in paces]


class _Replica:
    def __init__(self, http: aiohttp.ClientSession, url: str, model: str, chance: random.Random) -> None:
        self._http, self._url, self._model, self._chance = http, url, model, chance

    async def measure(self) -> tuple[list[Sample], list[Pace]]:
        await self._ask(self._text(50), self._text(5), _DECODED)
        cases = list(product(NEW_WORDS, CACHED_WORDS)) * 2
        self._chance.shuffle(cases)
        samples = [await self._prefill(*case) for case in cases]
        crowds = [await self._crowd(crowd) for crowd in (*CROWDS, *CROWDS)]
        paces = [pace for found, _ in crowds for pace in found]
        samples += [sample for _, sample in crowds]
        self._chance.shuffle(samples)
        self._chance.shuffle(paces)
        return samples, paces

    async def _prefill(self, new_words: int, cached_words: int) -> Sample:
        known = self._text(cached_words)
        if cached_words:
            await self._ask(known, "", 1)
        return _sample(await self._ask(known, self._text(new_words), 2), 0)

    async def _crowd(self, crowd: int) -> tuple[list[Pace], Sample]:
        """So many replies at once, and a newcomer among them."""
        talks = [asyncio.create_task(self._ask("", self._text(20), _DECODED * 2)) for _ in range(crowd)]
        await asyncio.sleep(0.25)
        newcomer = await self._ask("", self._text(200), 2)
        replies = await asyncio.gather(*talks)
        return [Pace(crowd, pace) for pace in _paces(replies)], _sample(newcomer, crowd)

    async def _ask(self, system: str, text: str, tokens: int) -> Reply:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        reply = await complete(self._http, self._url, request(messages, self._model, tokens))
        if reply.failure:
            raise RuntimeError(f"{self._url}: {reply.failure}")
        return reply

    def _text(self, words: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=words))


def _sample(reply: Reply, decoding: int) -> Sample:
    return Sample(reply.prompt_tokens - reply.cached_tokens, reply.cached_tokens, decoding, reply.ttft_ms or 0.0)


def _paces(replies: Sequence[Reply]) -> Iterator[float]:
    """Each reply's median time between tokens, so that steps with a prefill in them do not count."""
    for reply in replies:
        yield statistics.median(1000 * (after - before) for before, after in pairwise(reply.token_s))
