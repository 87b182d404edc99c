"""The real system: a `web` process on a free port, its own var folder, and real replicas."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.processes import ServerProcess, free_port
from tests.replicas import ReplicaProcess

_READY_WITHIN_S = 120


@dataclass(frozen=True)
class Keys:
    """API keys of a started system, by scope."""

    agent: str = "pdk_agent_of_the_tests"
    operator: str = "pdk_operator_of_the_tests"
    inference: str = "pdk_inference_of_the_tests"


@dataclass
class System:
    """One running Pindesk. `settings` are further fields of `chat.settings.Settings`, as their text."""

    replica_urls: Sequence[str]
    var_dir: Path
    otlp_port: int
    settings: dict[str, str] = field(default_factory=dict)
    keys: Keys = Keys()
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        argv = [sys.executable, "-m", "chat.web"]
        self.web = ServerProcess(argv, self._environment(), self.url, "/readyz", self.var_dir / "web.log")

    def _environment(self) -> dict[str, str]:
        fields = {
            "port": str(self.port),
            "var_dir": str(self.var_dir),
            "replicas": ",".join(self.replica_urls),
            "otlp_port": str(self.otlp_port),
            "agent_key": self.keys.agent,
            "operator_key": self.keys.operator,
            "inference_key": self.keys.inference,
            "secret": "secret of the tests",
        }
        return {f"PINDESK_{name.upper()}": value for name, value in (fields | self.settings).items()}

    def start_web(self) -> None:
        """Start `web` and wait until it is ready: replicas warm, database open."""
        self.web.start()
        self.web.wait_ready(_READY_WITHIN_S)

    def kill_web(self) -> None:
        """SIGKILL: nothing is flushed, no connection is closed in order."""
        self.web.kill()

    def restart_web(self) -> None:
        """Start `web` again on the same port and data after a kill, or stop it gracefully first."""
        self.web.stop()
        self.start_web()


def start_system(
    stack: ExitStack, replica_urls: Sequence[str], var_dir: Path, otlp_port: int, **settings: str
) -> System:
    """Start a system that ends with the stack."""
    system = System(replica_urls, var_dir, otlp_port, settings)
    stack.callback(system.web.stop)
    system.start_web()
    return system


@pytest.fixture(scope="module")
def system(engine_urls: list[str], otlp_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for a test module, on the session's replicas; generous limits, so that tests do not meet them."""
    with ExitStack() as stack:
        limits = dict.fromkeys(("conversation_limit", "address_limit", "site_limit", "open_limit"), "10000/minute")
        yield start_system(stack, engine_urls, tmp_path_factory.mktemp("system"), otlp_port, **limits)


@pytest.fixture
def own_system(tmp_path: Path) -> Iterator[Callable[..., System]]:
    """`own_system(replicas, **settings)`: a system of this test's own, on replicas from `fresh_replicas` or on URLs."""
    with ExitStack() as stack:

        def start(replicas: Sequence[ReplicaProcess | str], **settings: str) -> System:
            urls = [replica if isinstance(replica, str) else replica.url for replica in replicas]
            ports = [replica.otlp_port for replica in replicas if isinstance(replica, ReplicaProcess)]
            folder = tmp_path / f"system-{os.urandom(4).hex()}"
            folder.mkdir()
            return start_system(stack, urls, folder, ports[0] if ports else free_port(), **settings)

        yield start
