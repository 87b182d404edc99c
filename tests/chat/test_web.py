"""The `web` process: how it starts alone, refuses a broken configuration, and stops."""

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import chat.web
from tests.processes import ServerProcess, free_port

API = "/api/v1"


class Web(ServerProcess):
    """`python -m chat.web` alone, with a replica that is away."""

    def __init__(self, var_dir: Path, **settings: str) -> None:
        self.port = free_port()
        env = {"PINDESK_PORT": str(self.port), **environment(var_dir), **settings}
        url = f"http://127.0.0.1:{self.port}"
        super().__init__([sys.executable, "-m", "chat.web"], env, url, "/livez", var_dir / "web.log")
        # Patient: the machine of the tests may be busy.
        self.client = httpx.Client(base_url=url, timeout=60, trust_env=False)


def environment(var_dir: Path) -> dict[str, str]:
    return {"PINDESK_VAR_DIR": str(var_dir), "PINDESK_REPLICAS": "http://127.0.0.1:9", "PINDESK_OTLP_PORT": "0"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path)
    web.start()
    web.wait_ready(180)
    yield web
    web.client.close()
    web.stop()


def test_starts_alone_makes_its_keys_and_stops_gracefully(web: Web, tmp_path: Path) -> None:
    keys = tmp_path / "keys.env"
    assert keys.stat().st_mode & 0o777 == 0o600
    held = dict(line.split("=", 1) for line in keys.read_text().splitlines())
    operator = {"Authorization": f"Bearer {held['PINDESK_OPERATOR_KEY']}"}
    assert web.client.get(f"{API}/replicas", headers=operator).json()["data"][0]["id"] == "r0"
    opened = web.client.post(f"{API}/conversations", json={"site": "demo"}).json()
    customer = {"Authorization": f"Bearer {opened['token']}"}
    with web.client.stream("GET", f"{API}/conversations/{opened['id']}/events", headers=customer) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        os.kill(web.pid, signal.SIGTERM)
        stopped_at = time.monotonic()
        assert [line for line in lines if line] == []
        assert time.monotonic() - stopped_at < 5
    web.stop(15)
    assert all(value not in web.last_log() for value in held.values())


@pytest.mark.timeout(300)
def test_no_collection_stops_the_server_for_what_was_there_before() -> None:
    gc.collect()
    libraries = len(gc.get_objects())
    try:
        chat.web.keep_for_good()
        assert gc.get_freeze_count() > 0.9 * libraries
        assert len(gc.get_objects()) < 0.1 * libraries
    finally:
        gc.unfreeze()


def test_what_was_accepted_is_there_after_a_restart(web: Web) -> None:
    opened = web.client.post(f"{API}/conversations", json={"site": "demo"}).json()
    path, customer = f"{API}/conversations/{opened['id']}", {"Authorization": f"Bearer {opened['token']}"}
    turn = {"text": "Where is my order?", "client_turn_id": "t1"}
    accepted = web.client.post(f"{path}/turns", headers=customer, json=turn)
    web.kill()
    web.start()
    web.wait_ready(180)
    again = web.client.post(f"{path}/turns", headers=customer, json=turn)
    assert (again.status_code, again.json()) == (200, accepted.json())
    with web.client.stream("GET", f"{path}/events", headers=customer) as stream:
        kinds = (line.removeprefix("event: ") for line in stream.iter_lines() if line.startswith("event: "))
        assert [next(kinds) for _ in range(3)] == ["turn.started", "turn.failed", "message"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PINDESK_FLUSH_INTERVAL", "soon", "PINDESK_FLUSH_INTERVAL"),
        ("PINDESK_DATABASE_URL", "mysql://db/pindesk", "mysql"),
        ("PINDESK_DATABASE_URL", "postgresql://127.0.0.1:9/pindesk", "the database cannot be used"),
        ("PINDESK_TRUSTED_PROXIES", "proxy.example", "proxy.example"),
        ("PINDESK_HOST", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_broken_configuration_ends_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    value: str,
    told: str,
) -> None:
    for key, setting in (environment(tmp_path) | {"PINDESK_PORT": str(free_port()), name: value}).items():
        monkeypatch.setenv(key, setting)
    assert told in one_sentence(monkeypatch, capsys)


def test_taken_port_ends_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for key, setting in (environment(tmp_path) | {"PINDESK_PORT": str(port)}).items():
            monkeypatch.setenv(key, setting)
        assert f"127.0.0.1:{port}" in one_sentence(monkeypatch, capsys)


def one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What `python -m chat.web` says before it ends with 1."""
    monkeypatch.setattr(chat.web, "configure_logs", lambda level: None)
    assert chat.web.main() == 1
    told = capsys.readouterr().err.strip()
    assert told.startswith("web: ")
    assert len(told.splitlines()) == 1
    return told
