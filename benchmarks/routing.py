"""Our routing against its peers', on real replicas: `python -m benchmarks.routing`.

Every arm stands in front of the same two replicas (in `scale` a third one joins in the middle; in `two-web` two
processes of the arm share them), gets the same bytes at the same moments, and begins with empty
caches. Each run is appended to a file and never made again, so the table may be collected over several calls:

    python -m benchmarks.routing run --workloads steady,many-3 --seeds 1,2,3 --budget 500
    python -m benchmarks.routing report

The oracle is simulated: the same turns on the fitted cost model, all caches in one, evicted with knowledge of the
future. Nothing else should run on the machine.
"""

import argparse
import asyncio
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from benchmarks.live import arms, records, replay, trouble
from benchmarks.live.fleet import fleet, revive
from benchmarks.live.run import Setting, run_once
from benchmarks.live.script import Writer
from benchmarks.live.workloads import Workload, workloads
from benchmarks.simulation import cost
from benchmarks.simulation.validate import validate

RECORDS = Path("var/routing.jsonl")
_RUN_S = 12.0  # what a run takes beside its own seconds: the arm's start, the last replies


def missing(path: Path, settings: Iterable[Setting]) -> list[Setting]:
    made = {records.key(run) for run in records.read(path)}
    return [setting for setting in settings if records.key(setting.about()) not in made]


def collect(path: Path, workload: Workload, settings: Sequence[Setting], writer: Writer, until: float) -> None:
    """Make the runs of one workload on replicas of its own, as many as there is time for."""
    folder = path.parent / "routing"
    if time.monotonic() + 60 + settings[0].seconds > until:
        return
    with fleet(folder, workload.replicas, workload.blocks(writer)) as replicas:
        for setting in settings:
            if time.monotonic() + setting.seconds + _RUN_S > until:
                return
            revive(replicas)
            run, rows = asyncio.run(run_once(setting, workload, replicas, writer, folder))
            records.append(path, run | {"commit": _commit(), "measured_at": _now()}, rows)
            print(_said(run), flush=True)


def _report(runs: Sequence[records.Run], validating: bool) -> str:
    model, writer = cost.load(), Writer()
    if validating:
        return validate(runs, model, writer)
    return records.report([*runs, *replay.oracle_runs(runs, model, writer)])


def _said(run: records.Run) -> str:
    figures, cpu = run["figures"], run["cpu"]
    ttft = figures["ttft_ms"] or {"p50": float("nan"), "p95": float("nan")}
    return (
        f"{run['workload']:<9} {run['arm']:<26} seed {run['seed']}: {figures['turns']} turns, "
        f"{figures['failed']} failed, {figures['moves']} moved, cached {figures['cached_share']:.3f}, "
        f"p50 {ttft['p50']:.0f} p95 {ttft['p95']:.0f} ms, "
        f"CPU: generator {cpu['generator']:.2f}, arm {cpu['arm']:.2f}, replicas {cpu['replicas'] or float('nan'):.2f}"
    )


def _commit() -> str:
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=Path, default=RECORDS)
    commands = parser.add_subparsers(required=True, dest="command")
    running = commands.add_parser("run")
    running.add_argument("--workloads", default="steady,many-0.5,many-1,many-3,burst")
    running.add_argument("--arms", default=",".join((*arms.ARMS, arms.OURS)))
    running.add_argument("--seeds", default="1,2,3")
    running.add_argument("--seconds", type=float, default=45.0, help="of each run")
    running.add_argument("--rate", type=float, default=0.7, help="conversations that begin a second")
    running.add_argument("--budget", type=float, default=3600.0, help="seconds after which no further run is begun")
    reporting = commands.add_parser("report", help="the table, the oracle's lines simulated")
    reporting.add_argument("--validate", action="store_true", help="the simulator against each measured run instead")
    options = parser.parse_args()
    if options.command == "report":
        print(_report(records.read(options.records), options.validate))
        return
    until, known = time.monotonic() + options.budget, workloads(options.seconds, options.rate)
    for name, arm in product(options.workloads.split(","), options.arms.split(",")):
        if reason := trouble.refusal(known[name].trouble, arm):
            parser.error(f"{reason}; leave it out of --arms")
    for name in options.workloads.split(","):
        cases = product(map(int, options.seeds.split(",")), options.arms.split(","))
        settings = [Setting(name, arm, seed, options.seconds, options.rate) for seed, arm in cases]
        if settings := missing(options.records, settings):
            collect(options.records, known[name], settings, Writer(), until)


if __name__ == "__main__":
    main()
