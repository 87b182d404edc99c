"""Response time and accuracy of one model served in four ways: `python -m benchmarks.reply_quality`.

The same model answers the same held-out conversations, with 1, 2 and 8 customers at once, by

    transformers   generate() behind an HTTP server
    plain          vLLM without prefix caching
    prefix         vLLM with prefix caching
    ours           the same, guided by the pack's schema, each conversation on its own replica; the reply is whole when
                   its slots have closed

Each has two servers of one thread, started here one arm after another and stopped again, or given by `--url`. Every
arm's JSON becomes text in the same way. A reply is right when its cosine with the reference reply is 0.85 or more;
the template stands beside it, and both beside what a constant answer and a copy of the nearest training reply give.

`--data DIR` adds the public sets' test parts (Bitext, STAR's bank) to the committed ones. `--out FILE` keeps the rows:
arms can be measured in several runs, each prints the table of all. Nothing else should run on the machine.

    python -m benchmarks.reply_quality --dataset FILE.jsonl [--pack NAME]

answers a company's own conversations instead, format in benchmarks/README.md.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby, product
from pathlib import Path
from uuid import uuid4

import httpx
import psutil

from backend.replica import SERVED_MODEL
from backend.training.evaluation.cases import Asked, Case
from backend.training.evaluation.dataset import read
from backend.training.evaluation.similarity import encoder
from benchmarks.quality.arms import ARMS, SERVERS, Arm, launch
from benchmarks.quality.asking import TIMEOUT_S, Asker, Turn
from benchmarks.quality.own import summary
from benchmarks.quality.servers import ROOT, NotServed, free_ports, serving
from benchmarks.quality.sets import HeldOut, held_out
from benchmarks.quality.table import Row, report, rows
from prompts import PackError, load_pack
from prompts.check import pack_folders

ENGINE = ROOT / ".venv" / "engine"
CUSTOMERS = (1, 2, 8)
OPENING = Asked("Hello", frozenset())
"""Warms a brand's prompt; what comes after it is not shared."""

Answers = dict[str, list[list[Turn]]]
"""By source."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        return _own(given) if given.dataset else _compare(given)
    except (NotServed, PackError, OSError, httpx.HTTPError) as error:
        print(f"reply_quality: {error or type(error).__name__}", file=sys.stderr)
        return 1


def _compare(given: argparse.Namespace) -> int:
    """Measure the arms that were asked for, then print the table of all that `--out` holds."""
    sets = held_out(given.data, given.n)
    kept: list[Row] = json.loads(given.out.read_text()) if given.out and given.out.exists() else []
    with encoder() as encode:
        for name, customers, answers in _measured([ARMS[name] for name in given.arms], sets, given):
            kept = [row for row in kept if (row["arm"], row["customers"]) != (name, customers)]
            kept += rows(name, customers, sets, answers, encode)
            if given.out:
                given.out.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    print(report(kept))
    return 0


def _measured(
    arms: Sequence[Arm], sets: Sequence[HeldOut], given: argparse.Namespace
) -> Iterator[tuple[str, int, Answers]]:
    """Each arm's answers by number of customers; neighbours that are served in the same way share their servers."""
    for _, alike in groupby(arms, key=lambda arm: (arm.flags, dict(given.url).get(arm.name))):
        same = list(alike)
        with _servers(same[0], given) as urls:
            for arm, customers in product(same, given.customers):
                load = psutil.getloadavg()[0]
                answers = _run(arm, customers, urls, sets, given.served)
                print(f"{arm.name}, {customers} at once: done (load before {load:.1f})", file=sys.stderr)
                yield arm.name, customers, answers


def _run(arm: Arm, customers: int, urls: Sequence[str], sets: Sequence[HeldOut], served: str) -> Answers:
    """One arm with so many customers at once. Every brand's prompt is warm on every server, nothing else is."""
    ask = partial(_asked, arm, urls, served, f"{arm.name} {customers} {uuid4().hex}")
    packs = {each.cases[0].pack.name: each.cases[0].pack for each in sets}
    asyncio.run(ask(1, [Case([OPENING], pack) for pack in packs.values() for _ in urls]))
    return {each.name: asyncio.run(ask(customers, each.cases)) for each in sets}


def _own(given: argparse.Namespace) -> int:
    """Answer the conversations of a file."""
    [folder] = pack_folders([given.pack])
    dataset = read(given.dataset.read_bytes().splitlines(), load_pack(folder))
    answers: list[list[Turn]] = []
    if dataset.cases:
        with _servers(ARMS["ours"], given) as urls:
            ask = partial(_asked, ARMS["ours"], urls, given.served, uuid4().hex)
            answers = asyncio.run(ask(given.customers[0], dataset.cases))
    with encoder() as encode:
        print("\n".join(summary(dataset, answers, encode)))
    return 0 if dataset.cases else 1


async def _asked(
    arm: Arm, urls: Sequence[str], model: str, salt: str, customers: int, cases: Sequence[Case]
) -> list[list[Turn]]:
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        return await Asker(http, arm, urls, model, salt).all(cases, customers)


@contextmanager
def _servers(arm: Arm, given: argparse.Namespace) -> Iterator[list[str]]:
    """The servers that were given for an arm, or own ones."""
    if urls := dict(given.url).get(arm.name):
        yield urls
        return
    if not (ENGINE / "bin" / "python").is_file():
        raise NotServed(
            "The engine's environment is missing: make engine installs it, or name running servers by --url."
        )
    ports = free_ports(SERVERS)
    is_cpu = not (ENGINE / ".gpu").exists()
    started = [launch(arm, given.model, port, ENGINE / "bin" / "python", is_cpu=is_cpu) for port in ports]
    with serving(started, ports) as urls:
        yield urls


def _url(text: str) -> tuple[str, list[str]]:
    arm, _, urls = text.partition("=")
    if arm not in ARMS or not urls:
        raise argparse.ArgumentTypeError(f"{text!r} is not ARM=URL[,URL] with an arm of {', '.join(ARMS)}")
    return arm, [url.rstrip("/") for url in urls.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reply_quality", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), metavar="ARM")
    parser.add_argument("--customers", nargs="+", type=int, default=list(CUSTOMERS), help="how many at once")
    parser.add_argument("--n", type=int, default=40, help="conversations of each source")
    parser.add_argument("--data", type=Path, help="folder with the public sets")
    parser.add_argument("--model", type=Path, default=ROOT / "backend" / "starter_model", help="folder of the weights")
    parser.add_argument(
        "--url", action="append", default=[], type=_url, metavar="ARM=URL[,URL]", help="running servers"
    )
    parser.add_argument("--served", default=SERVED_MODEL, help="the model's name on those servers")
    parser.add_argument("--out", type=Path, help="JSON file that keeps the rows of several runs")
    parser.add_argument("--dataset", type=Path, help="own conversations, one JSON object a line")
    parser.add_argument("--pack", default="demo-shop", help="the pack that answers them")
    return parser


if __name__ == "__main__":
    # Whoever is told to end stops its servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
