"""Programs that tests start: each leads its own process group and ends with the tests, however they end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from tests.parts import ROOT

_LAST_LOG_CHARS = 4000


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ServerProcess:
    """An HTTP server in a process of its own; it can be killed and started again with the same command line."""

    def __init__(self, argv: list[str], env: Mapping[str, str], url: str, health_path: str, log: Path) -> None:
        self.url = url
        self.log = log
        self._argv = [sys.executable, "-m", "chat.start.tie", *argv]
        self._env = os.environ | dict(env) | {"PYTHONPATH": str(ROOT)}
        self._health_url = url + health_path
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program without waiting until it serves."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self._argv,
                env=self._env,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_ready(self, timeout_s: float) -> None:
        """Return when the health path answers 200; raises AssertionError with the log's end otherwise."""
        deadline = time.monotonic() + timeout_s
        while not self._healthy():
            assert self.alive(), f"it ended with {self._child and self._child.returncode}\n{self.last_log()}"
            assert time.monotonic() < deadline, f"not ready after {timeout_s} s\n{self.last_log()}"
            time.sleep(0.25)

    def stop(self, timeout_s: float = 30) -> None:
        """End the program gracefully, then whatever is left of its group."""
        if self.alive():
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        """End the whole group by SIGKILL, as a crash would."""
        if self._child is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def last_log(self) -> str:
        return self.log.read_text(errors="replace")[-_LAST_LOG_CHARS:] if self.log.exists() else ""

    def _healthy(self) -> bool:
        try:
            return httpx.get(self._health_url, timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False
