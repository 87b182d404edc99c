"""Guided replies against free text, on real replicas: `python -m benchmarks.guided`.

Every arm sends the same prompts (the demo shop's system prompt and a customer's question) to the same replicas:

    free 20, 60, 120    free text with as many tokens as approved text of so many words has
    guided              the pack's schema; the reply is whole when its slots have closed, whatever the words' number
    template first      the same with `template` as the very first property
    unguided            free text with as many tokens as `guided` wrote, the staff's part included

Replicas with another structured-outputs backend (a flag of their server) are compared by
`--backend NAME=URL[,URL]`, once for each. Nothing else should run on the machine.
"""

import argparse
import asyncio
import json
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

from benchmarks.decoding import Decoded, Moments, cpu_seconds, decode, served, tokens_in
from benchmarks.first_reply import percentile
from chat.settings import Settings
from prompts import Line, LineRole, Pack, assemble, load_pack, prompt_form, reply_schema
from prompts.check import PACKS
from prompts.probes import probes
from prompts.reply_stream import ReplyStream
from prompts.schema import HEAD

WORDS = (20, 60, 120)
CONCURRENCIES = (1, 2, 8)
MAX_TOKENS = 220
BRANDS = 100
BRAND_TOKENS = 40

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
class Bench:
    """One backend's replicas. Requests go to them in turn."""

    http: httpx.AsyncClient
    urls: list[str]
    model: str
    pack: Pack
    questions: list[str]

    async def run(self, arm: Callable[[int], Arm], count: int, at_once: int) -> dict[str, Any]:
        """`count` requests, `at_once` at a time; `arm(n)` is how the nth is made."""
        gate, cpu, began = asyncio.Semaphore(at_once), cpu_seconds(self.urls), time.perf_counter()

        async def one(number: int) -> Decoded:
            async with gate:
                chosen = arm(number)
                body = {"model": self.model, "messages": self._messages(number)} | dict(chosen.options)
                return await decode(self.http, self.urls[number % len(self.urls)], body, chosen.moments)

        replies = await asyncio.gather(*(one(number) for number in range(count)))
        wall_s, spent = time.perf_counter() - began, cpu_seconds(self.urls)
        return figures(replies, wall_s) | {
            "engine_cpu_s": spent - cpu if spent is not None and cpu is not None else None
        }

    def _messages(self, number: int) -> list[dict[str, str]]:
        question = self.questions[number % len(self.questions)]
        return assemble(self.pack, [Line(LineRole.CUSTOMER, prompt_form(question))])


def figures(replies: Sequence[Decoded], wall_s: float) -> dict[str, Any]:
    """Medians over replies, times in ms; rates over the wall clock."""
    first, whole = ([reply.moments[name] for reply in replies] for name in ("first_text", "reply"))
    return {
        "replies": len(replies),
        "tokens": statistics.mean(reply.tokens for reply in replies),
        "first_token_ms": statistics.median(reply.first_ms for reply in replies),
        "first_text_ms": statistics.median(ms for ms, _ in first),
        "first_text_tokens": statistics.median(tokens for _, tokens in first),
        "reply_ms": statistics.median(ms for ms, _ in whole),
        "reply_p95_ms": percentile([ms for ms, _ in whole], 0.95),
        "replies_per_s": len(replies) / wall_s,
        "tokens_per_s": sum(reply.tokens for reply in replies) / wall_s,
    }


def free(name: str, tokens: int) -> Arm:
    """Exactly so many tokens of free text."""
    return Arm(name, {"max_tokens": tokens, "min_tokens": tokens, "ignore_eos": True}, FREE)


def guided(name: str, schema: Mapping[str, Any], max_tokens: int = MAX_TOKENS) -> Arm:
    return Arm(name, {"max_tokens": max_tokens, "structured_outputs": {"json": schema}}, GUIDED)


def template_first(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with `template` before `action`; everything else stays where it is."""
    order = ("template", "action", *HEAD[2:])

    def moved(branch: Mapping[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in branch["properties"].items() if name not in order}
        properties = {name: branch["properties"][name] for name in order} | rest
        return dict(branch) | {"properties": properties, "required": list(properties)}

    return {"anyOf": [moved(branch) for branch in schema["anyOf"]]}


def branded(schema: Mapping[str, Any], brand: str) -> dict[str, Any]:
    """The schema as another brand would have it: the same grammar, but none that the engine has compiled."""
    return dict(schema) | {"title": brand}


def approved_text(pack: Pack, words: int) -> str:
    """So many words of the pack's own texts."""
    texts = " ".join(re.sub(r"\{[{%].*?[%}]\}", "", template.bodies[pack.locale]) for template in pack.offered)
    return " ".join(texts.split()[:words])


async def compare_arms(bench: Bench, count: int) -> dict[str, Any]:
    """Every arm at every concurrency: {concurrency: {arm: figures}}."""
    schema = reply_schema(bench.pack)
    texts = {words: approved_text(bench.pack, words) for words in WORDS}
    sizes = {words: await tokens_in(bench.http, bench.urls[0], bench.model, text) for words, text in texts.items()}
    arms = [guided("guided", schema), guided("template first", template_first(schema))]
    arms += [free(f"free {words}", tokens) for words, tokens in sizes.items()]
    results: dict[str, Any] = {}
    for arm in arms:
        # Both grammars compiled, and every prompt in the cache of every replica: no arm pays for another one.
        await bench.run(always(arm), count, CONCURRENCIES[-1])
    for at_once in CONCURRENCIES:
        rows = {arm.name: await bench.run(always(arm), count, at_once) for arm in arms}
        same = free("unguided", round(rows["guided"]["tokens"]))
        results[str(at_once)] = rows | {"unguided": await bench.run(always(same), count, at_once)}
    return results


def always(arm: Arm) -> Callable[[int], Arm]:
    return lambda _: arm


async def compare_schemas(bench: Bench) -> dict[str, Any]:
    """One schema against a host of brands, each with its own: first use, then warm."""
    schema, run_id = reply_schema(bench.pack), uuid4().hex

    def own(number: int) -> Arm:
        return guided("own", branded(schema, f"{run_id} {number // len(bench.urls)}"), BRAND_TOKENS)

    def shared(_: int) -> Arm:
        return guided("shared", schema, BRAND_TOKENS)

    count, at_once = BRANDS * len(bench.urls), CONCURRENCIES[-1]
    await bench.run(shared, at_once, at_once)
    return {
        "one schema": await bench.run(shared, count, at_once),
        "distinct, first use": await bench.run(own, count, at_once),
        "distinct, warm": await bench.run(own, count, at_once),
    }


def report(backend: str, arms: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    lines = [f"backend {backend}"]
    for at_once, rows in arms.items():
        lines += ["", f"{at_once} at once", _HEADER, *(_row(name, row) for name, row in rows.items())]
        plain, own = rows["unguided"], rows["guided"]
        lines.append(f"  guided / unguided: tokens per second {own['tokens_per_s'] / plain['tokens_per_s']:.2f}, "
                     f"time to first token {own['first_token_ms'] / plain['first_token_ms']:.2f}")  # fmt: skip
        lines += [_against(own, rows[f"free {words}"], words) for words in WORDS]
    lines += ["", f"schemas, {CONCURRENCIES[-1]} at once", _HEADER, *(_row(name, row) for name, row in schemas.items())]
    return "\n".join(lines)


_HEADER = (
    f"  {'':<20}{'tokens':>8}{'1st token':>11}{'1st text':>11}{'whole':>9}{'replies/s':>11}{'tokens/s':>10}{'CPU s':>8}"
)


def _row(name: str, row: Mapping[str, Any]) -> str:
    spent = "-" if row["engine_cpu_s"] is None else f"{row['engine_cpu_s']:.1f}"
    return (
        f"  {name:<20}{row['tokens']:>8.0f}{row['first_token_ms']:>8.0f} ms{row['first_text_ms']:>8.0f} ms"
        f"{row['reply_ms']:>6.0f} ms{row['replies_per_s']:>11.2f}{row['tokens_per_s']:>10.0f}{spent:>8}"
    )


def _against(own: Mapping[str, Any], other: Mapping[str, Any], words: int) -> str:
    later = own["first_text_tokens"] - other["first_text_tokens"]
    return (
        f"  guided / free of {words} words: whole reply {other['reply_ms'] / own['reply_ms']:.1f} times sooner, "
        f"first text {later:+.0f} tokens"
    )


async def measure(backends: Mapping[str, list[str]], count: int) -> dict[str, Any]:
    """All figures, by backend."""
    pack = load_pack(PACKS / "demo-shop")
    questions = [probe for template in pack.offered for probe in probes(template)]
    results: dict[str, Any] = {}
    async with httpx.AsyncClient(timeout=300, limits=httpx.Limits(max_connections=None), trust_env=False) as http:
        for name, urls in backends.items():
            about = await served(http, urls[0])
            bench = Bench(http, urls, about["model"], pack, questions)
            arms, schemas = await compare_arms(bench, count), await compare_schemas(bench)
            results[name] = about | {"replicas": len(urls), "arms": arms, "schemas": schemas}
            print(report(name, arms, schemas), flush=True)
    return results


def _backend(text: str) -> tuple[str, list[str]]:
    name, _, urls = text.partition("=")
    if not urls:
        raise argparse.ArgumentTypeError("expected NAME=URL[,URL]")
    return name, urls.split(",")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", action="append", type=_backend, help="NAME=URL[,URL]; the system's by default")
    parser.add_argument("--requests", type=int, default=40, help="for each arm and concurrency")
    parser.add_argument("--save", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    backends = dict(options.backend or [("xgrammar", Settings().replica_urls)])
    results = asyncio.run(measure(backends, options.requests))
    if options.save:
        about = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": psutil.cpu_count()}
        options.save.write_text(json.dumps(about | {"backends": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
