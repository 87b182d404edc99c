"""A real Prometheus that watches a running system by the shipped rules, in fast motion.

Rules speak of minutes, so that one bad moment wakes nobody; a test cannot wait for them. Here every time in the rules
is divided by `FASTER`, ranges are never shorter than `LEAST_RANGE_S` (a rate needs several scrapes), and a day is
`A_DAY_S`. Expressions, thresholds and metrics are as shipped, and so is the way of the figures: scraped by HTTP.
"""

import asyncio
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.parts import ROOT
from tests.processes import ServerProcess, free_port

RULES = ROOT / "deploy/prometheus/alerts.yml"
CONFIG = ROOT / "deploy/prometheus/prometheus.yml"
FASTER = 120
LEAST_RANGE_S = 3.0
A_DAY_S = 20.0
SCRAPE_S = 0.5

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def alerts_in(rules: str) -> set[str]:
    return set(re.findall(r"- alert: (\w+)", rules))


def faster(rules: str) -> str:
    """The rules with their times divided."""
    rules = re.sub(r"\[(\d+)([smhd])\]", lambda range_: f"[{max(LEAST_RANGE_S * 1000, _ms(range_)):.0f}ms]", rules)
    rules = re.sub(r"(?<=for: )(\d+)([smhd])", lambda wait: f"{_ms(wait):.0f}ms", rules)
    return rules.replace("offset 1d", f"offset {A_DAY_S * 1000:.0f}ms")


def _ms(time: re.Match[str]) -> float:
    return int(time[1]) * _SECONDS[time[2]] * 1000 / FASTER


class Prometheus(ServerProcess):
    """Scrapes `targets`, HTTP roots by job, by the shipped configuration with its addresses and pauses replaced."""

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        folder.mkdir()
        (folder / "alerts.yml").write_text(faster(RULES.read_text()))
        (folder / "prometheus.yml").write_text(_configured(CONFIG.read_text(), targets))
        port = free_port()
        argv = [
            shutil.which("prometheus") or "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=series",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        super().__init__(argv, {}, f"http://127.0.0.1:{port}", "/-/ready", folder / "prometheus.log")

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        async with httpx.AsyncClient(trust_env=False) as http:
            told = (await http.get(f"{self.url}/api/v1/alerts")).raise_for_status().json()
        return {each["labels"]["alertname"] for each in told["data"]["alerts"] if each["state"] == "firing"}

    async def until_firing(self, wanted: Collection[str], within_s: float) -> None:
        """Wait until each of these alerts has fired."""
        fired: set[str] = set()
        with _told_within(within_s, lambda: f"{set(wanted) - fired} did not fire, only {fired}"):
            async with asyncio.timeout(within_s):
                while not fired >= set(wanted):
                    fired |= await self.firing()
                    await asyncio.sleep(SCRAPE_S / 2)

    async def until_resting(self, wanted: Collection[str], within_s: float) -> None:
        """Wait until none of these alerts fires."""
        firing = set(wanted)
        with _told_within(within_s, lambda: f"{firing & set(wanted)} did not come to rest"):
            async with asyncio.timeout(within_s):
                while firing & set(wanted):
                    firing = await self.firing()
                    await asyncio.sleep(SCRAPE_S / 2)


@contextmanager
def _told_within(within_s: float, words: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise AssertionError(f"within {within_s} s {words()}") from None


def _configured(config: str, targets: Mapping[str, Sequence[str]]) -> str:
    """One list of addresses a job in the place of the shipped ones; their labels go."""
    config = re.sub(r"_interval: \d+s", f"_interval: {SCRAPE_S * 1000:.0f}ms", config)
    for job, roots in targets.items():
        shipped = rf"(job_name: {job}\n(?:.*\n)*?    static_configs:\n)(?:      .*\n)+"
        config, found = re.subn(shipped, _listed(roots), config)
        assert found == 1, f"{CONFIG} has no job {job}"
    return config


def _listed(roots: Sequence[str]) -> str:
    quoted = ", ".join(f'"{root.removeprefix("http://")}"' for root in roots)
    return rf"\1      - targets: [{quoted}]" + "\n"
