"""Many replicas and many conversations, simulated: `python -m benchmarks.simulate`.

Discrete events; the same policy objects as the server, replicas as block caches with a cost model that was fitted to
real ones. `fit` makes that model from running replicas, `run` compares all arms on all workloads.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.live.fleet import fleet
from benchmarks.simulation import calibrate, cost
from benchmarks.simulation.scenarios import ARMS, Scenario, measure, scenarios
from benchmarks.traffic import Shape

MODEL = "pindesk"
FOLDER = Path("var/simulate")  # of the replicas that `fit --own` starts


def fit(urls: Sequence[str], samples_at: Path, save: Path) -> str:
    """Measure the replicas, if there are any, or take the samples of the last time; fit, save, say what came of it."""
    if urls:
        measured = asyncio.run(calibrate.measure(urls, MODEL))
        cost.save_samples(*measured, samples_at, {"measured_at": _now(), "replicas": len(urls)})
    samples, paces, about = cost.load_samples(samples_at)
    fitted = cost.fit(samples, paces)
    cost.save(fitted, save, about)
    return (
        f"{fitted.cost}\nfrom {fitted.samples} samples; median error on held-out ones: "
        f"time to first token {fitted.prefill_error:.1%}, decoding {fitted.decode_error:.1%}; "
        f"their times to first token: p50 {fitted.ttft_p50_bias:+.1%}, p95 {fitted.ttft_p95_bias:+.1%}"
    )


def run(chosen: Sequence[Scenario], arms: Sequence[str], seeds: Sequence[int], workers: int) -> list[dict[str, Any]]:
    """One row for each scenario, arm and seed."""
    model = cost.load()
    cases = [(scenario, arm, seed) for scenario in chosen for arm in arms for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        waits = [(case, pool.submit(_timed, *case, model)) for case in cases]
        rows = []
        for case, wait in waits:
            rows.append(_row(case, *wait.result()))
            print(
                f"{rows[-1]['scenario']}, {rows[-1]['arm']}: {rows[-1]['cpu_s']:.0f} s CPU", file=sys.stderr, flush=True
            )
        return rows


def report(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table a scenario; of several seeds the mean."""
    lines = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        of_it = [row for row in rows if row["scenario"] == scenario]
        lines += ["", f"{scenario} ({of_it[0]['turns']} turns)", _HEADER]
        lines += [_line(arm, [r for r in of_it if r["arm"] == arm]) for arm in dict.fromkeys(r["arm"] for r in of_it)]
    return "\n".join(lines)


_HEADER = (
    f"  {'':<26}{'cached':>8}{'first turn p50/p95/p99':>26}{'later p50/p95/p99':>24}"
    f"{'CoV':>7}{'turns/s':>9}{'failed':>8}{'moves':>8}{'CPU s':>8}"
)


def _line(arm: str, rows: Sequence[Mapping[str, Any]]) -> str:
    def mean(value: Any) -> float:
        return sum(value(row) for row in rows) / len(rows)

    def times(name: str) -> str:
        return "/".join(f"{mean(lambda row, q=q: row[name][q]):.0f}" for q in ("p50", "p95", "p99"))

    return (
        f"  {arm:<26}{mean(lambda r: r['cached_share']):>8.3f}{times('ttft_first_ms'):>26}{times('ttft_later_ms'):>24}"
        f"{mean(lambda r: r['load_cov']):>7.2f}{mean(lambda r: r['turns_per_s']):>9.1f}"
        f"{mean(lambda r: r['failed']):>8.1f}{mean(lambda r: r['moves']):>8.0f}{mean(lambda r: r['cpu_s']):>8.1f}"
    )


def _timed(scenario: Scenario, arm: str, seed: int, model: cost.Cost) -> tuple[dict[str, Any], float]:
    """CPU seconds, because wall time also counts what else runs on the machine."""
    began = time.process_time()
    return measure(scenario, arm, seed, model), time.process_time() - began


def _row(case: tuple[Scenario, str, int], figures: dict[str, Any], cpu_s: float) -> dict[str, Any]:
    scenario, arm, seed = case
    about = {"scenario": scenario.name, "arm": arm, "seed": seed, "replicas": scenario.replicas}
    return about | figures | {"cpu_s": round(cpu_s, 1)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    fitting = commands.add_parser("fit", help="fit the cost model, of replicas on one machine")
    fitting.add_argument("--own", type=int, default=0, help="measure so many replicas that are started for it")
    fitting.add_argument("--replicas", default="", help="measure these: HTTP roots, separated by commas")
    fitting.add_argument("--samples", type=Path, default=cost.SAMPLES)
    fitting.add_argument("--save", type=Path, default=cost.FITTED)
    running = commands.add_parser("run", help="compare the arms")
    running.add_argument("--count", type=int, default=64, help="replicas")
    running.add_argument("--conversations", type=int, default=100_000)
    running.add_argument(
        "--per-replica", type=float, default=0.45, help="conversations that begin a second on each replica"
    )
    running.add_argument("--brands", type=int, default=500)
    running.add_argument("--think", type=float, default=20.0, help="median seconds between two turns")
    running.add_argument("--arms", default=",".join(ARMS))
    running.add_argument("--scenarios", default="", help="only those whose names contain one of these words")
    running.add_argument("--seeds", type=int, default=1)
    running.add_argument("--workers", type=int, default=2)
    running.add_argument("--save", type=Path, help="write the rows to this JSON file")
    options = parser.parse_args()
    if options.command == "fit":
        with fleet(FOLDER, options.own, None) as started:
            urls = [url for url in options.replicas.split(",") if url] + [replica.url for replica in started]
            print(fit(urls, options.samples, options.save))
        return
    rate = options.per_replica * options.count
    shape = Shape(rate, options.conversations / rate, brands=options.brands, think_median_s=options.think)
    words = [word for word in options.scenarios.split(",") if word]
    chosen = [s for s in scenarios(options.count, shape) if not words or any(word in s.name for word in words)]
    rows = run(chosen, options.arms.split(","), range(1, options.seeds + 1), options.workers)
    print(report(rows))
    if options.save:
        options.save.write_text(json.dumps({"simulated_at": _now(), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
