"""What the machine of this process has left: read at every scrape, no background work.

GPUs are read by NVIDIA's own library where its driver is there; elsewhere their metrics do not exist.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pynvml
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class MachineCollector(Collector):
    """CPU, memory and GPUs of the machine, not of the process: `process_*` has that."""

    def collect(self) -> Iterator[Metric]:
        yield _cpu()
        yield _memory()
        yield from _gpus()


def _cpu() -> Metric:
    spent = CounterMetricFamily(
        "pindesk_machine_cpu_seconds", "CPU time of all cores since the boot, by what it was spent on.", labels=["mode"]
    )
    times = psutil.cpu_times()
    for mode in ("user", "system", "idle", "iowait"):
        if hasattr(times, mode):
            spent.add_metric([mode], getattr(times, mode))
    return spent


def _memory() -> Metric:
    memory = psutil.virtual_memory()
    held = GaugeMetricFamily("pindesk_machine_memory_bytes", "Memory: total, and available.", labels=["state"])
    held.add_metric(["total"], memory.total)
    held.add_metric(["available"], memory.available)
    return held


def _gpus() -> Iterator[Metric]:
    with _driver() as is_there:
        if not is_there:
            return
        busy = GaugeMetricFamily("pindesk_machine_gpu_busy_ratio", "Share of time with work.", labels=["gpu"])
        held = GaugeMetricFamily("pindesk_machine_gpu_memory_bytes", "Total, and used.", labels=["gpu", "state"])
        for index in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(device)
            busy.add_metric([str(index)], pynvml.nvmlDeviceGetUtilizationRates(device).gpu / 100)
            held.add_metric([str(index), "total"], memory.total)
            held.add_metric([str(index), "used"], memory.used)
        yield busy
        yield held


@contextmanager
def _driver() -> Iterator[bool]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()
