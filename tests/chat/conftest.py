"""The real application without a replica: callers, a client, one database for each module of tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from structlog.testing import capture_logs
from structlog.typing import EventDict

from chat.app import create_app
from chat.prepare import prepare
from chat.services import Services
from chat.settings import Settings
from chat.web import Server
from sessions import Scope, Site
from tests.postgres import own_database

API = "/api/v1"


@dataclass(frozen=True)
class Opened:
    id: str
    token: str
    greeting: str

    @property
    def path(self) -> str:
        return f"/conversations/{self.id}"


@dataclass
class Api:
    """The application under test and a client of it. `keys` are the staff's bearer credentials by caller's name."""

    app: FastAPI
    client: httpx.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return self.app.state.services

    async def call(
        self, method: str, path: str, credential: str | None = None, json: Any = None, **headers: str
    ) -> httpx.Response:
        """A call under `/api/v1`; further keyword arguments are headers, `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if credential:
            sent["Authorization"] = f"Bearer {credential}"
        return await self.client.request(method, API + path, json=json, headers=sent)

    async def open(self, site: str = "demo") -> Opened:
        """A new conversation."""
        answer = await self.call("POST", "/conversations", json={"site": site})
        assert answer.status_code == 201, answer.text
        return Opened(**answer.json())

    async def post(self, one: Opened, text: str, client_turn_id: str = "t1") -> httpx.Response:
        """A customer's message."""
        return await self.call("POST", f"{one.path}/turns", one.token, {"text": text, "client_turn_id": client_turn_id})

    async def kinds(self, one: Opened) -> list[str]:
        """The kinds of the conversation's events so far."""
        async with self.services.store.read() as repo:
            return [
                event.kind for event in await repo.events.list(self.services.keys.staff(self.keys["agent"]), one.id)
            ]


def make_settings(var_dir: Path, **changes: Any) -> Settings:
    """Settings of a server of its own. Its one replica is away: nothing listens on port 9."""
    fields: dict[str, Any] = {
        "var_dir": var_dir,
        "database_url": f"sqlite:///{var_dir}/pindesk.db",
        "replicas": ["http://127.0.0.1:9"],
        "agent_key": "pdk_agent_of_the_tests",
        "operator_key": "pdk_operator_of_the_tests",
        "inference_key": "pdk_inference_of_the_tests",
        "secret": "secret of the tests",
        "otlp_port": 0,
        "open_limit": "10000/minute",
        "address_limit": "10000/minute",
        "site_limit": "10000/minute",
    }
    return Settings(**fields | changes)


async def staffed(api: Api) -> Api:
    """Adds a second site and an agent who works for that one only."""
    for scope in ("agent", "operator", "inference"):
        api.keys[scope] = getattr(api.services.settings, f"{scope}_key").get_secret_value()
    async with api.services.store.begin() as repo:
        if await repo.sites.get("other") is None:
            await repo.sites.add(Site(key="other", name="Other", pack="demo-shop"))
        api.keys["other agent"] = await repo.sites.add_key(Scope.AGENT, ["other"], "agent of other")
    return api


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Api]:
    """The application with its lifespan, called without a network."""
    await prepare(settings)
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://web") as client,
    ):
        yield await staffed(Api(app, client))


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[tuple[Api, Server]]:
    """The application behind our server on a free port: for what only a network shows."""
    await prepare(settings)
    app = create_app(settings)
    server = Server(uvicorn.Config(app, port=0, log_config=None, access_log=False), app.state.services)
    # `serve` would take the signals of the test run for itself.
    running = asyncio.create_task(server._serve())
    while not server.started:  # uvicorn has no event for it
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
        yield await staffed(Api(app, client)), server
        server.should_exit = True
        await running


@pytest.fixture(scope="module")
def database_url() -> str | None:
    """The database of a module's application; None is a file of its own. See `on_both_databases`."""
    return None


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(database_url: str | None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One application for the tests of a module; they carry `asyncio(loop_scope="module")`."""
    database = {"database_url": database_url} if database_url else {}
    async with serving(make_settings(tmp_path_factory.mktemp("var"), **database)) as api:
        yield api


@pytest.fixture
def command_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EventDict]]:
    """What a command logs: the log is the test run's own, and commands send theirs elsewhere."""
    monkeypatch.setattr("chat.command.configure_logs", lambda level, stream: None)
    with capture_logs() as log:
        yield log


@pytest.fixture(scope="module", params=[None, pytest.param("postgres", marks=pytest.mark.postgres)])
def on_both_databases(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A module that calls this `database_url` runs on SQLite and on PostgreSQL."""
    if request.param is None:
        yield None
        return
    with own_database(request.getfixturevalue("postgres_server")) as url:
        yield url
