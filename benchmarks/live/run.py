"""One run: one arm, one workload, one seed, on replicas that stand already."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.live import arms, trouble
from benchmarks.live.fleet import BenchReplica, answered, reset
from benchmarks.live.load import drive
from benchmarks.live.records import Run
from benchmarks.live.script import Writer
from benchmarks.live.workloads import REPLICAS, Trouble, Workload
from benchmarks.traffic import cacheable_tokens
from benchmarks.turns import Served, Window, figures, spread

WARMING_SHARE = 0.2  # of a run's seconds: the first conversations only fill the caches


@dataclass(frozen=True)
class Setting:
    workload: str
    arm: str
    seed: int
    seconds: float
    rate: float

    def about(self) -> Run:
        return asdict(self)


async def run_once(
    setting: Setting, workload: Workload, replicas: Sequence[BenchReplica], writer: Writer, folder: Path
) -> tuple[Run, list[Served]]:
    """What came of it, and a row a turn."""
    urls = [replica.url for replica in replicas]
    scripts = workload.scripts(writer, setting.seed)
    grows = workload.trouble is Trouble.JOIN
    with arms.front(setting.arm, urls[:REPLICAS], folder, workload.processes, grows) as front:
        await reset(urls)
        engines = [psutil.Process(replica.pid) for replica in replicas]
        before, began = (front.cpu_s(), _cpu_s(engines)), await answered(urls)
        work = [drive(scripts, front)]
        if workload.trouble:
            work.append(trouble.happen(workload.trouble, front, replicas, setting.seconds / 2))
        driven = (await asyncio.gather(*work))[0]
        after, ended = (front.cpu_s(), _cpu_s(engines)), await answered(urls)
    cacheable = cacheable_tokens([script.talk for script in scripts])
    window = Window(WARMING_SHARE * setting.seconds, setting.seconds)
    arm_cpu, engine_cpu = ((now - then) / driven.seconds for then, now in zip(before, after, strict=True))
    found = figures(driven.rows, cacheable, len(urls), window)
    # Most routers do not say where a turn went; the replicas know how many each has had.
    found["load_cov"] = (
        spread([now - then for then, now in zip(began, ended, strict=True)]) if began and ended else None
    )
    return setting.about() | {
        "figures": found,
        # What a replica had used until it was killed is not known afterwards.
        "cpu": {
            "generator": driven.generator_cpu,
            "arm": arm_cpu,
            "replicas": None if workload.trouble else engine_cpu,
        },
        "blocks": workload.blocks(writer),
    }, driven.rows


def _cpu_s(processes: Iterable[psutil.Process]) -> float:
    spent = 0.0
    for parent in processes:
        try:
            family = [parent, *parent.children(recursive=True)]
            spent += sum(sum(process.cpu_times()[:2]) for process in family)
        except psutil.NoSuchProcess:
            continue
    return spent
