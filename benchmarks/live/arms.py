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
from tests.postgres import own_database, own_server
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
    """A running arm, as one process or several that know nothing of each other's memory.

    `bearer`: its customers' headers, `operator`: those of who may drain; peers ask for none. `replicas_file`: where
    ours reads again and again which replicas there are.
    """

    arm: str
    urls: Sequence[str]
    processes: Sequence[psutil.Process]
    bearer: Mapping[str, str] = field(default_factory=dict)
    operator: Mapping[str, str] = field(default_factory=dict)
    replicas_file: Path | None = None

    @property
    def url(self) -> str:
        """Of its first process."""
        return self.urls[0]

    def url_of(self, script: Script, index: int) -> str:
        """Where a turn is sent: a conversation's turns go to the processes in turn, and not all begin at the same."""
        return self.urls[(script.talk.id + index) % len(self.urls)]

    def headers(self, script: Script) -> dict[str, str]:
        return {"X-Session-Id": script.session} | dict(self.bearer)

    def cpu_s(self) -> float:
        """CPU seconds of its processes so far."""
        family = [each for process in self.processes for each in (process, *process.children(recursive=True))]
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
def front(arm: str, urls: Sequence[str], folder: Path, processes: int = 1, grows: bool = False) -> Iterator[Front]:
    """Start an arm in front of the replicas and wait until it answers; it ends with the block.

    `grows`: replicas will be made known to it later.
    """
    with ExitStack() as stack:
        if arm == OURS:
            yield _ours(stack, urls, folder, processes, grows)
            return
        started = [stack.enter_context(_peer(arm, urls, folder, number)) for number in range(processes)]
        yield Front(arm, [url for url, _ in started], [psutil.Process(child.pid) for _, child in started])


def _ours(stack: ExitStack, urls: Sequence[str], folder: Path, processes: int, grows: bool) -> Front:
    """A whole Pindesk on a new database, spoken to through its OpenAI-style address.

    Several processes share a PostgreSQL that really writes to the disk.
    """
    var = Path(stack.enter_context(TemporaryDirectory(dir=folder))).resolve()
    settings, file = dict(_UNLIMITED), None
    if processes > 1:
        settings["database_url"] = stack.enter_context(own_database(stack.enter_context(own_server(durable=True))))
    if grows:
        file = var / "replicas.txt"
        file.write_text("\n".join(urls) + "\n")
        settings["replicas_file"], urls = str(file), ()
    systems = []
    for number in range(processes):
        own = var / f"web-{number}"
        own.mkdir()
        systems.append(start_system(stack, urls, own, free_port(), **settings))
    bearer = {"Authorization": f"Bearer {systems[0].keys.inference}", "X-Site": "demo"}
    operator = {"Authorization": f"Bearer {systems[0].keys.operator}"}
    started = [psutil.Process(system.web.pid) for system in systems]
    return Front(OURS, [system.url for system in systems], started, bearer, operator, file)


@contextmanager
def _peer(arm: str, urls: Sequence[str], folder: Path, number: int) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    with (folder / f"{arm}-{number}.log").open("wb") as log:
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
        yield url, child
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
