"""The launcher with a real supervisord over small servers that stand for replicas and `web`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from chat.start.machine import port_is_free
from tests.parts import ROOT
from tests.processes import free_port

_SERVER = """
import json, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, manner = int(sys.argv[1]), sys.argv[2]
started = time.monotonic()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        warm = time.monotonic() - started > 1.5
        self.send_response(503 if self.path == "/readyz" and not warm else 200)
        self.end_headers()
        states = [{"url": url, "state": "ready" if warm else "warming"} for url in sys.argv[3:]]
        self.wfile.write(json.dumps({"detail": "not warm", "data": states}).encode())

if manner == "broken":
    print("this model cannot be read")
    raise SystemExit(3)
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if manner == "parent":  # as vLLM: a child in the same group, ended on a graceful stop, blind to its parent's death
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    signal.signal(signal.SIGTERM, lambda *_: (child.kill(), sys.exit(0)))
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class Launched:
    """`python -m chat.start` in a folder of its own; `manners` are those of the two replicas."""

    def __init__(self, folder: Path, manners: tuple[str, str]) -> None:
        self.folder = folder
        ports = _free_ports()
        self._write(ports, manners)
        self.web_url = f"http://127.0.0.1:{ports[2]}"
        self.output = folder / "output.txt"
        with self.output.open("wb") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "chat.start"],
                cwd=folder,
                env=os.environ | self._settings(ports),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _write(self, ports: list[int], manners: tuple[str, str]) -> None:
        (self.folder / "server.py").write_text(_SERVER)
        urls = " ".join(f"http://127.0.0.1:{port}" for port in ports[:2])
        lines = [
            f"{name}: {sys.executable} server.py {port} {manner} {urls}\n"
            for name, port, manner in zip(("replica-0", "replica-1", "web"), ports, (*manners, "plain"), strict=True)
        ]
        (self.folder / "Procfile").write_text("".join(lines))
        model = self.folder / "model"
        model.mkdir()
        for name in ("config.json", "tokenizer_config.json", "model.safetensors"):
            (model / name).touch()

    def _settings(self, ports: list[int]) -> dict[str, str]:
        return {
            "PYTHONPATH": str(ROOT),
            "PINDESK_VAR_DIR": "var",
            "PINDESK_PORT": str(ports[2]),
            "PINDESK_REPLICA_PORT": str(ports[0]),
            "PINDESK_OTLP_PORT": str(free_port()),
            "PINDESK_MODEL": "model",
            "PINDESK_ENGINE": "gpu",  # whose memory is not this machine's
            "PINDESK_ENGINE_PYTHON": sys.executable,
        }

    def wait_for(self, line: str, times: int = 1) -> None:
        deadline = time.monotonic() + 40
        while len(re.findall(line, self.output.read_text())) < times:
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)

    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in this launch's folder, the launcher itself left out."""
        others = (process for process in psutil.process_iter() if process.pid != self.child.pid)
        return [process for process in others if self._is_here(process)]

    def _is_here(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return process.cwd() == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE
        return False

    def running(self, text: str) -> list[psutil.Process]:
        return [process for process in self.processes() if text in " ".join(process.cmdline())]

    def wait_gone(self) -> None:
        deadline = time.monotonic() + 20
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.1)


def _free_ports() -> list[int]:
    """Two neighbouring ports for the replicas and one for web."""
    while True:
        first, web = free_port(), free_port()
        if web != first + 1 and port_is_free("127.0.0.1", first + 1):
            return [first, first + 1, web]


Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    launched: list[Launched] = []

    def start(*manners: str) -> Launched:
        launched.append(Launched(tmp_path, manners or ("plain", "plain")))
        return launched[-1]

    yield start
    for one in launched:
        one.child.kill()
        one.child.wait()
        for process in one.processes():
            process.kill()


def test_it_says_what_it_waits_for_and_ends_on_one_signal(launch: Launch) -> None:
    launched = launch("parent", "plain")
    launched.wait_for("Pindesk is ready")
    lines = launched.lines()
    assert lines[0] == "Keys for agents, operators and programs: var/keys.env"
    assert "pdk_" not in launched.output.read_text()
    assert lines[1:4] == ["replica 1 of 2: loading", "replica 2 of 2: loading", "web: loading"]
    assert {"replica 1 of 2: warming prompts", "replica 2 of 2: ready", "web: ready"} <= set(lines)
    assert lines[-1] == f"Pindesk is ready: {launched.web_url}"
    launched.child.send_signal(signal.SIGINT)
    assert launched.child.wait(30) == 0
    assert launched.lines()[-2:] == ["Stopping: web first, then the replicas. Ctrl-C again stops at once.", "Stopped."]
    assert launched.processes() == []


def test_a_killed_replica_comes_back_and_leaves_nothing_of_itself(launch: Launch) -> None:
    launched = launch("parent", "plain")
    launched.wait_for("Pindesk is ready")
    orphan = launched.running("time.sleep(600)")[0]
    launched.running("server.py")[0].kill()
    launched.wait_for("replica 1 of 2: died, starting again")
    launched.wait_for("replica 1 of 2: ready", times=2)
    assert not orphan.is_running()
    assert len(launched.running("time.sleep(600)")) == 1


def test_a_second_signal_stops_at_once(launch: Launch) -> None:
    launched = launch("stubborn", "parent")
    launched.wait_for("Pindesk is ready")
    launched.child.send_signal(signal.SIGINT)
    launched.wait_for("Stopping")
    time.sleep(1)
    assert launched.running("stubborn")
    began = time.monotonic()
    launched.child.send_signal(signal.SIGINT)
    assert launched.child.wait(30) == 0
    assert time.monotonic() - began < 3
    assert launched.processes() == []


def test_a_process_that_keeps_failing_ends_the_start_with_its_log(launch: Launch) -> None:
    launched = launch("plain", "broken")
    assert launched.child.wait(60) == 1
    output = launched.output.read_text()
    assert "replica 2 of 2 keeps failing: its log, var/log/replica-1.log, says why.\n" in output
    assert output.endswith("    this model cannot be read\n")
    assert launched.processes() == []


@pytest.mark.parametrize("victim", ["chat.start", "supervisord"])
def test_a_killed_launcher_or_supervisor_leaves_nothing_running(launch: Launch, victim: str) -> None:
    launched = launch("plain", "parent")
    launched.wait_for("Pindesk is ready")
    (launched.child if victim == "chat.start" else launched.running(victim)[0]).kill()
    launched.child.wait(30)
    launched.wait_gone()
