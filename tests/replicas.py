"""Real vLLM replicas for the tests marked `engine`.

Loading two of them takes a minute or two. `python -m tests.replicas` keeps a pair running and prints the variables
with which test runs use that pair.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backend.replica import ReplicaConfig, command
from tests.parts import ENGINE_PYTHON, GPU_ENGINE, MODEL
from tests.processes import ServerProcess, free_port

_LOADED_WITHIN_S = 300


class ReplicaProcess(ServerProcess):
    """One vLLM server with the starter model (or PINDESK_TEST_MODEL); `otlp_port` is where its spans go."""

    def __init__(self, index: int, otlp_port: int, folder: Path, engine_args: tuple[str, ...] = ()) -> None:
        self.otlp_port = otlp_port
        port = free_port()
        config = ReplicaConfig(
            id=f"r{index}",
            model=str(MODEL),
            port=port,
            python=ENGINE_PYTHON,
            cpu=not GPU_ENGINE.exists(),
            otlp_endpoint=f"http://127.0.0.1:{otlp_port}/v1/traces",
            engine_args=engine_args,
        )
        argv, env = command(config)
        super().__init__(argv, env, f"http://127.0.0.1:{port}", "/health", folder / f"replica-{index}-{port}.log")

    def restart(self) -> None:
        """Start it again at the same address after a kill, and wait until it has loaded."""
        self.start()
        self.wait_ready(_LOADED_WITHIN_S)


def start_replicas(
    stack: ExitStack, folder: Path, otlp_port: int, count: int = 2, engine_args: tuple[str, ...] = ()
) -> list[ReplicaProcess]:
    """Start replicas side by side and wait for all; the stack ends them, at once, because nobody waits for a drain."""
    replicas = [ReplicaProcess(index, otlp_port, folder, engine_args) for index in range(count)]
    for replica in replicas:
        stack.callback(replica.kill)
        replica.start()
    for replica in replicas:
        replica.wait_ready(_LOADED_WITHIN_S)
    return replicas


@pytest.fixture(scope="session")
def otlp_port() -> int:
    """The one port to which the session's replicas send their spans; at most one `web` at a time listens there."""
    return int(os.environ.get("PINDESK_TEST_OTLP_PORT", 0)) or free_port()


@pytest.fixture(scope="session")
def engine_urls(otlp_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """HTTP roots of two healthy replicas that live as long as the session: never kill these."""
    if given := os.environ.get("PINDESK_TEST_REPLICAS"):
        yield given.split(",")
        return
    with ExitStack() as stack:
        replicas = start_replicas(stack, tmp_path_factory.mktemp("replicas"), otlp_port)
        yield [replica.url for replica in replicas]


@pytest.fixture
def fresh_replicas(tmp_path: Path) -> Iterator[Callable[..., list[ReplicaProcess]]]:
    """`fresh_replicas(count=2, engine_args=())`: loaded replicas of this test's own, to be killed and restarted."""
    with ExitStack() as stack:
        yield lambda count=2, engine_args=(): start_replicas(stack, tmp_path, free_port(), count, engine_args)


def main() -> None:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        replicas = start_replicas(stack, Path(folder), free_port())
        print(f"export PINDESK_TEST_REPLICAS={','.join(replica.url for replica in replicas)}")
        print(f"export PINDESK_TEST_OTLP_PORT={replicas[0].otlp_port}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
