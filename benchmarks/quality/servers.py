"""Servers that a benchmark starts for itself and stops again."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import httpx

ROOT = Path(__file__).parents[2]
LOADED_WITHIN_S = 300
STOPPED_WITHIN_S = 15


class NotServed(Exception):
    """A server ended, or did not load in time; the message holds the end of its log."""


@contextmanager
def serving(launches: Sequence[tuple[list[str], Mapping[str, str]]], ports: Sequence[int]) -> Iterator[list[str]]:
    """HTTP roots of servers that have loaded. Raises `NotServed`; whatever happens, none is left behind."""
    with ExitStack() as stack:
        started = []
        for argv, env in launches:
            log = stack.enter_context(TemporaryFile())
            process = subprocess.Popen(
                argv, env=os.environ | env, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            stack.callback(_stop, process)
            started.append((process, log))
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url, (process, log) in zip(urls, started, strict=True):
            _wait(url, process, log)
        yield urls


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait(url: str, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    by = time.monotonic() + LOADED_WITHIN_S
    while process.poll() is None and time.monotonic() < by:
        try:
            if httpx.get(f"{url}/health", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    log.seek(0)
    raise NotServed(f"{url} does not serve:\n{log.read()[-2000:].decode(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started: its own session, so nobody else's."""
    for end in (process.terminate, lambda: os.killpg(process.pid, 9)):
        if process.poll() is None:
            end()
            try:
                process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                continue
