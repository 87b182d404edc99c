"""Times of real replicas for the cost model: prompts of many lengths, with and without a cached beginning.

Each replica is measured twice, while the others rest and while they are kept busy: replicas of one machine share its
cores, so each is slower while another computes.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import product
from typing import NamedTuple

import aiohttp

from benchmarks.simulation.cost import Pace, Sample
from benchmarks.stream import Reply, complete, request

# A word of these is a token of the starter model.
NEW_WORDS = (20, 60, 130, 320, 600)
CACHED_WORDS = (0, 320, 640, 960)
LONGEST_WORDS = 1350  # the replicas of `benchmarks.routing` have room for 1,536 tokens
CROWDS = (1, 2, 4, 8)
CONTEXT_WORDS = (0, 640)  # in front of each reply of a crowd
_DECODED = 40
_LATE_S = 0.15  # a newcomer comes when a crowd has been prefilled
_WORDS = (
    *("order", "parcel", "return", "refund", "invoice", "delivery"),
    *("address", "size", "gift", "card", "cancel", "help"),
)


class Measured(NamedTuple):
    samples: list[Sample]
    paces: list[Pace]


async def measure(urls: Sequence[str], model: str, seed: int = 1) -> Measured:
    """One replica after the other, each alone and beside the rest; the order of the samples is random."""
    chance = random.Random(seed)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(120)) as http:
        replicas = [_Replica(http, url, model, random.Random(f"{seed} {url}")) for url in urls]
        for replica in replicas:
            await replica.wake_up()
        runs = []
        for replica in replicas:
            runs.append(await replica.measure(beside=False))
            others = [each for each in replicas if each is not replica]
            if others:
                async with _busy(others):
                    runs.append(await replica.measure(beside=True))
    found = Measured([s for run in runs for s in run.samples], [p for run in runs for p in run.paces])
    chance.shuffle(found.samples)
    chance.shuffle(found.paces)
    return found


@asynccontextmanager
async def _busy(replicas: Sequence["_Replica"]) -> AsyncIterator[None]:
    """Replicas that compute all the time, as they do in a chat: short new texts behind a cached beginning."""
    tasks = [asyncio.create_task(replica.chatter()) for replica in replicas for _ in range(2)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


class _Replica:
    def __init__(self, http: aiohttp.ClientSession, url: str, model: str, chance: random.Random) -> None:
        self._http, self._url, self._model, self._chance = http, url, model, chance

    async def wake_up(self) -> None:
        """What is made at the first use only."""
        for _ in range(3):
            await self._ask(self._text(50), self._text(5), _DECODED)

    async def measure(self, beside: bool) -> Measured:
        cases = [case for case in product(NEW_WORDS, CACHED_WORDS) if sum(case) <= LONGEST_WORDS] * 2
        self._chance.shuffle(cases)
        samples = [await self._prefill(*case, beside) for case in cases]
        samples += [await self._join(crowd, beside) for crowd in (*CROWDS, *CROWDS)]
        crowds = list(product(CROWDS, CONTEXT_WORDS)) * 2
        self._chance.shuffle(crowds)
        return Measured(samples, [pace for case in crowds for pace in await self._decode(*case, beside)])

    async def chatter(self) -> None:
        """Until it is cancelled."""
        known = self._text(500)
        while True:
            await self._ask(known, self._text(70), 13)

    async def _prefill(self, new_words: int, cached_words: int, beside: bool) -> Sample:
        known = self._text(cached_words)
        if cached_words:
            await self._ask(known, "", 1)
        return _sample(await self._ask(known, self._text(new_words), 2), 0, beside)

    async def _join(self, crowd: int, beside: bool) -> Sample:
        """A newcomer while so many decode."""
        known = self._text(50)
        await self._ask(known, "", 1)
        talks = asyncio.create_task(self._crowd(crowd, known))
        await asyncio.sleep(_LATE_S)
        newcomer = await self._ask("", self._text(200), 2)
        await talks
        return _sample(newcomer, crowd, beside)

    async def _decode(self, crowd: int, context_words: int, beside: bool) -> list[Pace]:
        """So many replies side by side, of which only the stretch counts in which all are being written."""
        known = self._text(context_words + 20)
        await self._ask(known, "", 1)
        replies = await self._crowd(crowd, known)
        begin = max(reply.token_s[0] for reply in replies)
        end = min(reply.token_s[-1] for reply in replies)
        paces = []
        for reply in replies:
            inside = [at for at in reply.token_s[: reply.completion_tokens] if begin <= at <= end]
            # Tokens that came in one chunk are one moment: then nobody knows how many there were.
            if len(reply.token_s) >= reply.completion_tokens and len(inside) > _DECODED / 2:
                token_ms = (inside[-1] - inside[0]) / (len(inside) - 1) * 1000
                paces.append(Pace(crowd, token_ms, reply.prompt_tokens, beside))
        return paces[:2]  # of one crowd they are all alike

    async def _crowd(self, crowd: int, known: str) -> list[Reply]:
        return await asyncio.gather(*(self._ask(known, self._text(10), _DECODED) for _ in range(crowd)))

    async def _ask(self, system: str, text: str, tokens: int) -> Reply:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        reply = await complete(self._http, self._url, request(messages, self._model, tokens))
        if reply.failure or reply.ttft_ms is None or reply.total_ms is None:
            raise RuntimeError(f"{self._url}: {reply.failure or 'no text'}")
        return reply

    def _text(self, words: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=words))


def _sample(reply: Reply, decoding: int, beside: bool) -> Sample:
    return Sample(reply.prompt_tokens - reply.cached_tokens, reply.cached_tokens, decoding, reply.ttft_ms, beside)
