"""A private PostgreSQL for the tests marked `postgres`, or the server that PINDESK_TEST_POSTGRES_URL names.

Its server programs refuse to run as root, so there they run as the Debian package's own user.
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.parts import POSTGRES_PROGRAMS, missing_postgres

USER = "postgres"
_START_S = 30.0
# Tests do not survive a power cut anyway; without it a database is made in 30 ms.
_FAST = ("fsync=off", "full_page_writes=off")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases can be made; it ends with the session, even if that is killed."""
    if given := os.environ.get("PINDESK_TEST_POSTGRES_URL"):
        yield given
        return
    if reason := missing_postgres():
        pytest.skip(f"postgres: {reason}")
    with own_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    with own_database(postgres_server) as url:
        yield url


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[str]:
    """The URL of a new server, which ends with the block, even if that is killed; `durable`: as in production."""
    folder = Path(tempfile.mkdtemp(prefix="pindesk-postgres-"))
    try:
        with _serving(folder, () if durable else _FAST) as url:
            yield url
    finally:
        shutil.rmtree(folder)


@contextmanager
def own_database(server: str, template: str = "template0") -> Iterator[str]:
    """Make a database as a copy of `template`, to which nobody may be connected; it goes at the end."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _serving(folder: Path, settings: Sequence[str]) -> Iterator[str]:
    password, port = secrets.token_hex(16), _free_port()
    (folder / "password").write_text(password)
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, USER, USER)
    _initialise(folder)
    url = f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(_server_command(folder, port, settings), stdout=log, stderr=log, cwd=folder)
        try:
            _wait_until_ready(server, url, folder / "log")
            yield url
        finally:
            server.terminate()
            server.wait(_START_S)


def _initialise(folder: Path) -> None:
    options = ("-D", f"{folder}/data", "-U", USER, "-A", "scram-sha-256", f"--pwfile={folder}/password", "-N")
    command = [*_as_user(), str(_programs() / "initdb"), *options, "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)


def _server_command(folder: Path, port: int, settings: Sequence[str]) -> list[str]:
    given = [part for setting in (*settings, "max_connections=200") for part in ("-c", setting)]
    options = ("-D", f"{folder}/data", "-h", "127.0.0.1", "-p", str(port), "-k", str(folder))
    return [*_as_user("--pdeathsig=INT"), str(_programs() / "postgres"), *options, *given]


def _as_user(*options: str) -> list[str]:
    change = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups") if os.geteuid() == 0 else ()
    return ["setpriv", *change, *options] if change or options else []


def _programs() -> Path:
    """Debian keeps them by version; the newest is taken."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).parent
    return max(POSTGRES_PROGRAMS.glob("*/bin"), key=lambda path: int(path.parent.name))


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + _START_S
    while server.poll() is None and time.monotonic() < until:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
