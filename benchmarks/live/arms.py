"""What stands in front of the replicas: each arm a process with its own command line, all spoken to in the same way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from benchmarks.live.script import Script
from tests.processes import free_port
from tests.system import start_system

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv/peers/bin"
_STARTS_WITHIN_S = 60.0

# A benchmark's customers all come from one address.
_UNLIMITED = dict.fromkeys(("conversation_limit", "address_limit", "site_limit", "open_limit"), "100000/minute")

Argv = Callable[[int, Sequence[str]], list[str]]


@dataclass
class Front:
    """A running arm. `bearer`: its customers' headers, `operator`: those of who may drain; peers ask for none."""

    url: str
    process: psutil.Process
    bearer: Mapping[str, str] = field(default_factory=dict)
    operator: Mapping[str, str] = field(default_factory=dict)

    def headers(self, script: Script) -> dict[str, str]:
        return {"X-Session-Id": script.session} | dict(self.bearer)

    def cpu_s(self) -> float:
        """CPU seconds of its processes so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in family)


def _vllm_router(policy: str) -> Argv:
    def argv(port: int, urls: Sequence[str]) -> list[str]:
        ports = ["--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(free_port())]
        ports += ["--prometheus-host", "127.0.0.1"]
        return [str(PEERS / "vllm-router"), *ports, "--policy", policy, "--worker-urls", *urls]

    return argv


def _sglang_router(port: int, urls: Sequence[str]) -> list[str]:
    ports = ["--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(free_port())]
    ports += ["--prometheus-host", "127.0.0.1"]
    command = [str(PEERS / "python"), "-m", "sglang_router.launch_router"]
    return [*command, *ports, "--policy", "cache_aware", "--worker-urls", *urls]


def _litellm(port: int, urls: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "benchmarks.live.litellm_server", "--port", str(port), *urls]


ARMS: Mapping[str, Argv] = {
    "round_robin": _vllm_router("round_robin"),
    "random": _vllm_router("random"),
    "litellm_session_affinity": _litellm,
    "sticky_least_loaded": _vllm_router("sticky_least_loaded"),
    "consistent_hash": _vllm_router("consistent_hash"),
    "cache_aware": _vllm_router("cache_aware"),
    "sglang_cache_aware": _sglang_router,
}
OURS = "ours"


@contextmanager
def front(arm: str, urls: Sequence[str], folder: Path) -> Iterator[Front]:
    """Start an arm in front of the replicas and wait until it answers; it ends with the block."""
    with _ours(urls, folder) if arm == OURS else _peer(arm, urls, folder) as running:
        yield running


@contextmanager
def _ours(urls: Sequence[str], folder: Path) -> Iterator[Front]:
    """A whole Pindesk on a new database, spoken to through its OpenAI-style address."""
    with TemporaryDirectory(dir=folder) as var, ExitStack() as stack:
        system = start_system(stack, urls, Path(var), free_port(), **_UNLIMITED)
        bearer = {"Authorization": f"Bearer {system.keys.inference}", "X-Site": "demo"}
        operator = {"Authorization": f"Bearer {system.keys.operator}"}
        yield Front(system.url, psutil.Process(system.web.pid), bearer, operator)


@contextmanager
def _peer(arm: str, urls: Sequence[str], folder: Path) -> Iterator[Front]:
    port = free_port()
    with (folder / f"{arm}.log").open("wb") as log:
        child = subprocess.Popen(
            ARMS[arm](port, urls),
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=os.environ | {"NO_PROXY": "*"},
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, child)
        yield Front(url, psutil.Process(child.pid))
    finally:
        _end(child)


def _wait(url: str, child: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            if httpx.get(f"{url}/v1/models", trust_env=False, timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{child.args[0]} does not serve: its log is in the run's folder")


def _end(child: "subprocess.Popen[bytes]") -> None:
    """By SIGKILL to its group: some routers wait minutes for their connections."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
