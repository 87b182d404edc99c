"""Guided replies against free text, on real replicas: `python -m benchmarks.guided`.

Every arm sends the same prompts (the demo shop's system prompt and a customer's question) to the same replicas:

    free 20, 60, 120    free text with as many tokens as approved text of so many words has
    guided              the pack's schema; the reply is whole when its slots have closed, whatever the words' number
    template first      the same with `template` as the very first property

What the grammar itself costs is told by rounds that take turns: guided, then unguided with as many tokens for each
question as guided wrote for it (`price`); one schema, then a host of brands, each with its own (`schemas`). `values`
stands in `benchmarks.narrowed`: what it costs that the grammar admits only the customer's own words.

Replicas with another structured-outputs backend (a flag of their server) are compared by
`--backend NAME=URL[,URL]`, once for each. Nothing else should run on the machine.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

from benchmarks import narrowed
from benchmarks.arms import FREE, Arm, Bench, Run, always, figures, free, guided, ratios
from benchmarks.decoding import served, tokens_in
from chat.settings import Settings
from prompts import Pack, load_pack, reply_schema
from prompts.check import PACKS
from prompts.probes import probes
from prompts.schema import HEAD

WORDS = (20, 60, 120)
CONCURRENCIES = (1, 2, 8)
BRANDS = 100
PARTS = ("arms", "price", "schemas", "values")


def template_first(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with `template` before `action`; everything else stays where it is."""
    order = ("template", "action", *HEAD[2:])

    def moved(branch: Mapping[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in branch["properties"].items() if name not in order}
        properties = {name: branch["properties"][name] for name in order} | rest
        return dict(branch) | {"properties": properties, "required": list(properties)}

    return dict(schema) | {"anyOf": [moved(branch) for branch in schema["anyOf"]]}


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
    for arm in arms:
        # Both grammars compiled, and every prompt in the cache of every replica: no arm pays for another one.
        await bench.run(always(arm), count, CONCURRENCIES[-1])
    return {
        str(at_once): {arm.name: figures(await bench.run(always(arm), count, at_once)) for arm in arms}
        for at_once in CONCURRENCIES
    }


async def compare_price(bench: Bench, count: int, rounds: int) -> dict[str, Any]:
    """Guided against unguided, warm, question by question with the same number of tokens: {concurrency: figures}."""
    arm, results = guided("guided", reply_schema(bench.pack), FREE), {}
    for at_once in CONCURRENCIES:
        lengths = [reply.tokens for reply in (await bench.run(always(arm), count, at_once)).replies]

        def same(number: int, lengths: list[int] = lengths) -> Arm:
            return free("unguided", lengths[number])

        arms = {"guided": always(arm), "unguided": same}
        results[str(at_once)] = _compared(await _in_turn(bench, arms, count, at_once, rounds))
    return results


async def compare_schemas(bench: Bench, rounds: int) -> dict[str, Any]:
    """A host of brands, each with its own schema, against one schema: first use, then warm."""
    schema, run_id = reply_schema(bench.pack), uuid4().hex
    schemas = [branded(schema, f"{run_id} {brand}") for brand in range(BRANDS)]

    def own(number: int) -> Arm:
        return guided("own", schemas[number // len(bench.urls)], FREE)

    arms = {"distinct, warm": own, "one schema": always(guided("shared", schema, FREE))}
    count, at_once = BRANDS * len(bench.urls), CONCURRENCIES[-1]
    first = figures(await bench.run(own, count, at_once))
    return {"distinct, first use": first} | _compared(await _in_turn(bench, arms, count, at_once, rounds))


async def _in_turn(
    bench: Bench, arms: Mapping[str, Callable[[int], Arm]], count: int, at_once: int, rounds: int
) -> dict[str, list[Run]]:
    """Every arm once a round, so that what else the machine does meets all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, arm in arms.items():
            runs[name].append(await bench.run(arm, count, at_once))
    return runs


def _compared(runs: Mapping[str, list[Run]]) -> dict[str, Any]:
    """The figures of two arms, and the first against the second."""
    ours, theirs = runs.values()
    return {name: figures(reduce(add, rounds)) for name, rounds in runs.items()} | {"ratios": ratios(ours, theirs)}


def report(part: str, results: Mapping[str, Any]) -> str:
    if part == "schemas":
        return "\n".join([f"schemas, {CONCURRENCIES[-1]} at once", *_compared_rows(results)])
    lines: list[str] = []
    for at_once, rows in results.items():
        lines.append(f"{part}, {at_once} at once")
        if part == "price":
            lines += _compared_rows(rows)
        elif part == "values":
            lines += [*_rows(rows), narrowed.told(rows)]
        else:
            lines += _rows(rows)
            lines += [_against(rows["guided"], rows[f"free {words}"], words) for words in WORDS]
    return "\n".join(lines)


_HEADER = (
    f"  {'':<20}{'tokens':>8}{'1st token':>11}{'1st text':>11}{'whole':>9}{'replies/s':>11}{'tokens/s':>10}"
    f"{'CPU/token':>12}"
)


def _rows(rows: Mapping[str, Any]) -> list[str]:
    return [_HEADER, *(_row(name, row) for name, row in rows.items() if name != "ratios")]


def _compared_rows(rows: Mapping[str, Any]) -> list[str]:
    told = [f"{text} {_span(rows['ratios'][name])}" for name, text in _RATIOS.items()]
    return [*_rows(rows), f"  first against second: {', '.join(told)}"]


_RATIOS = {"tokens_per_s": "tokens per second", "first_token": "time to first token"}


def _span(ratio: Mapping[str, float]) -> str:
    return f"{ratio['median']:.2f} (rounds {ratio['low']:.2f} to {ratio['high']:.2f})"


def _row(name: str, row: Mapping[str, Any]) -> str:
    spent = "-" if row["cpu_ms_per_token"] is None else f"{row['cpu_ms_per_token']:.1f} ms"
    return (
        f"  {name:<20}{row['tokens']:>8.1f}{row['first_token_ms']:>8.0f} ms{row['first_text_ms']:>8.0f} ms"
        f"{row['reply_ms']:>6.0f} ms{row['replies_per_s']:>11.2f}{row['tokens_per_s']:>10.0f}{spent:>12}"
    )


def _against(own: Mapping[str, Any], other: Mapping[str, Any], words: int) -> str:
    later = own["first_text_tokens"] - other["first_text_tokens"]
    return (
        f"  guided / free of {words} words: whole reply {other['reply_ms'] / own['reply_ms']:.1f} times sooner, "
        f"first text {later:+.0f} tokens"
    )


async def measure(
    backends: Mapping[str, list[str]], count: int, rounds: int, parts: Sequence[str] = PARTS
) -> dict[str, Any]:
    """All figures, by backend."""
    pack = load_pack(PACKS / "demo-shop")
    questions = [probe for template in pack.offered for probe in probes(template)]
    results: dict[str, Any] = {}
    async with httpx.AsyncClient(timeout=300, limits=httpx.Limits(max_connections=None), trust_env=False) as http:
        for name, urls in backends.items():
            about = await served(http, urls[0])
            bench = Bench(http, urls, about["model"], pack, questions)
            results[name] = about | {"replicas": len(urls)}
            for part in parts:
                results[name][part] = await _measured(bench, part, count, rounds)
                print(f"\n{name}: {report(part, results[name][part])}", flush=True)
    return results


async def _measured(bench: Bench, part: str, count: int, rounds: int) -> dict[str, Any]:
    match part:
        case "arms":
            return await compare_arms(bench, count)
        case "price":
            return await compare_price(bench, count, rounds)
        case "values":
            return await narrowed.compare(bench, count, rounds, CONCURRENCIES)
        case _:
            return await compare_schemas(bench, rounds)


def _backend(text: str) -> tuple[str, list[str]]:
    name, _, urls = text.partition("=")
    if not urls:
        raise argparse.ArgumentTypeError("expected NAME=URL[,URL]")
    return name, urls.split(",")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", action="append", type=_backend, help="NAME=URL[,URL]; the system's by default")
    parser.add_argument("--requests", type=int, default=40, help="for each arm and concurrency")
    parser.add_argument("--rounds", type=int, default=6, help="of what takes turns")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--save", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    backends = dict(options.backend or [("xgrammar", Settings().replica_urls)])
    results = asyncio.run(measure(backends, options.requests, options.rounds, options.parts))
    if options.save:
        about = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": psutil.cpu_count()}
        options.save.write_text(json.dumps(about | {"backends": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
