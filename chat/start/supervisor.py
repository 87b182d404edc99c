"""supervisord as a child of this process: its processes' states, one graceful stop, one stop at once."""

import http.client
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from supervisor.xmlrpc import SupervisorTransport

_STARTED_WITHIN_S = 15
_UNREACHABLE = (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError)


@dataclass(frozen=True)
class Program:
    """What supervisord says of one process; `pid` is 0 while none runs, `state` a supervisord state such as RUNNING."""

    name: str
    state: str
    pid: int


class Supervisor:
    """supervisord running one configuration; every process it starts leads a process group of its own."""

    def __init__(self, conf: Path, socket: Path) -> None:
        self._conf = conf
        self._socket = socket
        self._child: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def start(self) -> None:
        """Start supervisord outside the terminal's process group, so that Ctrl-C reaches this process only."""
        self._socket.unlink(missing_ok=True)
        tie = [sys.executable, "-m", "chat.start.tie"]
        command = [*tie, sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self._conf)]
        self._child = subprocess.Popen(command, process_group=0, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _STARTED_WITHIN_S
        while not self.programs() and self.running() and time.monotonic() < deadline:
            time.sleep(0.1)

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def programs(self) -> list[Program]:
        """States of all processes; empty while supervisord cannot be asked."""
        try:
            with self._connect() as rpc:
                infos = rpc.supervisor.getAllProcessInfo()
        except _UNREACHABLE:
            return []
        programs = [Program(info["name"], info["statename"], info["pid"]) for info in infos]
        self._sweep({program.pid for program in programs if program.pid})
        return programs

    def stop_further(self) -> None:
        """Take the next step of a graceful stop without waiting: `web` first, then the replicas, then supervisord."""
        alive = [program for program in self.programs() if program.pid]
        if not alive and self.running():
            self._child.terminate()
        surfaces = [program for program in alive if not program.name.startswith("replica-")]
        for program in surfaces or alive:
            if program.state != "STOPPING":
                self._stop_program(program.name)

    def kill(self) -> None:
        """End everything now: supervisord first, so that it restarts nothing."""
        if not self.running():
            return
        self._child.send_signal(signal.SIGSTOP)
        family = psutil.Process(self._child.pid).children(recursive=True)
        self._child.kill()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def finish(self) -> None:
        """Wait for supervisord's end, then end what processes that died on their own have left behind."""
        if self._child is not None:
            self._child.wait()
        self._sweep(set())

    def _stop_program(self, name: str) -> None:
        # A process that has just ended by itself answers with a fault; the next step sees it gone.
        with suppress(*_UNREACHABLE, xmlrpc.client.Fault), self._connect() as rpc:
            rpc.supervisor.stopProcess(name, False)

    def _connect(self) -> xmlrpc.client.ServerProxy:
        # A transport whose connection has failed once never recovers: each question gets its own.
        return xmlrpc.client.ServerProxy(
            "http://127.0.0.1", transport=SupervisorTransport(serverurl=f"unix://{self._socket}")
        )

    def _sweep(self, alive: set[int]) -> None:
        # vLLM's engine core outlives an API server that was killed; its process group still carries that server's id.
        for group in self._groups - alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._groups = alive
