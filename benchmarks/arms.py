"""Arms of a comparison on real replicas: the same prompts, asked for in different ways, and what each run came to."""

import asyncio
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.decoding import Decoded, Moments, cpu_seconds, decode
from benchmarks.first_reply import percentile
from prompts import Line, LineRole, Pack, assemble, prompt_form
from prompts.reply_stream import ReplyStream

MAX_TOKENS = 220

_TEMPLATE = re.compile(r'"template":"[^"]+"')
_WORD = re.compile(r"\S\s")


def head_closed(text: str) -> bool:
    """True once the customer's part of a guided reply is whole."""
    stream = ReplyStream()
    stream.feed(text)
    return stream.head_closed


GUIDED: Moments = {"first_text": lambda text: bool(_TEMPLATE.search(text)), "reply": head_closed}
FREE: Moments = {"first_text": lambda text: bool(_WORD.search(text)), "reply": lambda text: False}


@dataclass(frozen=True)
class Arm:
    """How its requests differ from the others', and when a customer sees something."""

    name: str
    options: Mapping[str, Any]
    moments: Moments


@dataclass(frozen=True)
class Run:
    """What came of some requests; `cpu_s` is the engines' CPU time, None for replicas elsewhere."""

    replies: tuple[Decoded, ...]
    wall_s: float
    cpu_s: float | None

    def __add__(self, other: "Run") -> "Run":
        spent = None if self.cpu_s is None or other.cpu_s is None else self.cpu_s + other.cpu_s
        return Run(self.replies + other.replies, self.wall_s + other.wall_s, spent)

    @property
    def tokens_per_s(self) -> float:
        return sum(reply.tokens for reply in self.replies) / self.wall_s


@dataclass(frozen=True)
class Bench:
    """One backend's replicas. Requests go to them in turn."""

    http: httpx.AsyncClient
    urls: list[str]
    model: str
    pack: Pack
    questions: list[str]

    async def run(self, arm: Callable[[int], Arm], count: int, at_once: int) -> Run:
        """`count` requests, `at_once` at a time; `arm(n)` is how the nth is made."""
        gate, cpu, began = asyncio.Semaphore(at_once), cpu_seconds(self.urls), time.perf_counter()

        async def one(number: int) -> Decoded:
            async with gate:
                chosen = arm(number)
                body = {"model": self.model, "messages": self._messages(number)} | dict(chosen.options)
                return await decode(self.http, self.urls[number % len(self.urls)], body, chosen.moments)

        replies = await asyncio.gather(*(one(number) for number in range(count)))
        wall_s, spent = time.perf_counter() - began, cpu_seconds(self.urls)
        return Run(tuple(replies), wall_s, None if spent is None or cpu is None else spent - cpu)

    def _messages(self, number: int) -> list[dict[str, str]]:
        question = self.questions[number % len(self.questions)]
        return assemble(self.pack, [Line(LineRole.CUSTOMER, prompt_form(question))])


def free(name: str, tokens: int) -> Arm:
    """Exactly so many tokens of free text."""
    return Arm(name, {"max_tokens": tokens, "ignore_eos": True}, FREE)


def guided(name: str, schema: Mapping[str, Any], moments: Moments = GUIDED) -> Arm:
    return Arm(name, {"max_tokens": MAX_TOKENS, "structured_outputs": {"json": schema}}, moments)


def always(arm: Arm) -> Callable[[int], Arm]:
    return lambda _: arm


def figures(run: Run) -> dict[str, Any]:
    """Medians over replies, times in ms; rates over the wall clock; the engines' CPU time for a thousand tokens."""
    first, whole = ([reply.moments[name] for reply in run.replies] for name in ("first_text", "reply"))
    tokens = sum(reply.tokens for reply in run.replies)
    return {
        "replies": len(run.replies),
        "tokens": tokens / len(run.replies),
        "first_token_ms": statistics.median(reply.first_ms for reply in run.replies),
        "first_text_ms": statistics.median(ms for ms, _ in first),
        "first_text_tokens": statistics.median(tokens for _, tokens in first),
        "reply_ms": statistics.median(ms for ms, _ in whole),
        "reply_p95_ms": percentile([ms for ms, _ in whole], 0.95),
        "replies_per_s": len(run.replies) / run.wall_s,
        "tokens_per_s": run.tokens_per_s,
        "cpu_ms_per_token": run.cpu_s * 1000 / tokens if run.cpu_s is not None else None,
    }


def ratios(ours: Sequence[Run], theirs: Sequence[Run]) -> dict[str, Any]:
    """Ours against theirs, round by round: median, and the lowest and highest round, which tell how sure it is."""
    rates = [one.tokens_per_s / other.tokens_per_s for one, other in zip(ours, theirs, strict=True)]
    firsts = [_first_ms(one) / _first_ms(other) for one, other in zip(ours, theirs, strict=True)]
    return {"tokens_per_s": _spread(rates), "first_token": _spread(firsts)}


def _first_ms(run: Run) -> float:
    return statistics.median(reply.first_ms for reply in run.replies)


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}
