"""Times of real replicas for the cost model: prompts of many lengths, with and without a cached beginning."""

import asyncio
import random
from collections.abc import Sequence
from itertools import product

import aiohttp

from benchmarks.simulation.cost import Pace, Sample
from benchmarks.stream import Reply, complete, request

NEW_WORDS = (10, 40, 120, 250, 400)
CACHED_WORDS = (0, 150, 350)
CROWDS = (1, 2, 4, 8)
_DECODED = 48
_SETTLED_S = 0.2  # until a crowd has been prefilled
_WORDS = (
    *("order", "parcel", "return", "refund", "invoice", "delivery"),
    *("address", "size", "gift", "card", "cancel", "help"),
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
        for _ in range(3):  # what is made at the first use only
            await self._ask(self._text(50), self._text(5), _DECODED)
        cases = list(product(NEW_WORDS, CACHED_WORDS)) * 2
        self._chance.shuffle(cases)
        samples = [await self._prefill(*case) for case in cases]
        crowds = [*CROWDS, *CROWDS]
        paces = [pace for crowd in crowds for pace in await self._decode(crowd)]
        samples += [await self._join(crowd) for crowd in crowds]
        self._chance.shuffle(samples)
        self._chance.shuffle(paces)
        return samples, paces

    async def _prefill(self, new_words: int, cached_words: int) -> Sample:
        known = self._text(cached_words)
        if cached_words:
            await self._ask(known, "", 1)
        return _sample(await self._ask(known, self._text(new_words), 2), 0)

    async def _decode(self, crowd: int) -> list[Pace]:
        """So many replies side by side."""
        replies = await self._crowd(crowd)
        return [Pace(crowd, (reply.total_ms - reply.ttft_ms) / (reply.completion_tokens - 1)) for reply in replies]

    async def _join(self, crowd: int) -> Sample:
        """A newcomer while so many decode."""
        talks = asyncio.create_task(self._crowd(crowd))
        await asyncio.sleep(_SETTLED_S)
        newcomer = await self._ask("", self._text(200), 2)
        await talks
        return _sample(newcomer, crowd)

    async def _crowd(self, crowd: int) -> list[Reply]:
        return await asyncio.gather(*(self._ask(self._text(10), self._text(20), _DECODED) for _ in range(crowd)))

    async def _ask(self, system: str, text: str, tokens: int) -> Reply:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        reply = await complete(self._http, self._url, request(messages, self._model, tokens))
        if reply.failure or reply.ttft_ms is None or reply.total_ms is None:
            raise RuntimeError(f"{self._url}: {reply.failure or 'no text'}")
        return reply

    def _text(self, words: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=words))


def _sample(reply: Reply, decoding: int) -> Sample:
    return Sample(reply.prompt_tokens - reply.cached_tokens, reply.cached_tokens, decoding, reply.ttft_ms)
