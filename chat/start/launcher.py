"""The launcher's loop: observe, print, stop."""

import os
import signal
import time
from pathlib import Path
from types import FrameType

from chat.settings import Settings
from chat.start.errors import StartError
from chat.start.health import Probe
from chat.start.procfile import Process
from chat.start.services import Service, list_services
from chat.start.supervisor import Program, Supervisor
from chat.start.supervisord_conf import log_file
from chat.start.tie import tie_to_parent

_TICK_S = 0.5
_TICK_ONCE_READY_S = 1.0
_LAST_LOG_LINES = 15


class Launcher:
    """Starts a supervisor and tells what it waits for; the first signal ends it gracefully, the second at once."""

    def __init__(self, settings: Settings, processes: list[Process], supervisor: Supervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._probe = Probe(settings)
        self._services = list_services(settings, processes, self._probe)
        self._signals = 0
        self._announced = False

    def run(self) -> None:
        """Return after a stop that was asked for; raises `StartError` when a process keeps failing."""
        self._take_signals()
        try:
            self._supervisor.start()
            while self._supervisor.running() and not self._signals:
                self._observe()
                self._pause()
            if not self._signals:
                raise StartError(f"The supervisor ended: {log_file(self._settings, 'supervisord')} says why.")
            self._stop()
        finally:
            self._supervisor.kill()
            self._supervisor.finish()
            self._probe.close()

    def _take_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        if "MAKELEVEL" in os.environ:
            tie_to_parent()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _pause(self) -> None:
        end = time.monotonic() + (_TICK_ONCE_READY_S if self._announced else _TICK_S)
        seen = self._signals
        while self._signals == seen and time.monotonic() < end:
            time.sleep(0.05)

    def _observe(self) -> None:
        programs = {program.name: program for program in self._supervisor.programs()}
        self._probe.look(with_states=not all(service.watch.ready for service in self._services))
        for service in self._services:
            if self._signals:
                return
            self._tell(service, programs.get(service.name))
        if not self._announced and all(service.watch.ready for service in self._services):
            self._announced = True
            _say(f"Pindesk is ready: {self._settings.public_url or self._probe.web_url}")

    def _tell(self, service: Service, program: Program | None) -> None:
        try:
            line = service.watch.observe(service.health(program), program)
        except StartError as error:
            raise StartError(f"{error}\n{_last_lines(log_file(self._settings, service.name))}") from error
        if line:
            _say(line)

    def _stop(self) -> None:
        _say("Stopping: web first, then the replicas. Ctrl-C again stops at once.")
        while self._supervisor.running() and self._signals < 2:
            self._supervisor.stop_further()
            self._pause()
        _say("Stopped." if self._signals < 2 else "Stopped at once.")


def _say(line: str) -> None:
    print(line, flush=True)


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    return "\n".join(f"    {line}" for line in lines[-_LAST_LOG_LINES:])
