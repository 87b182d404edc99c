"""The real application over the API's own parts, without a replica: callers, a client, one database a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chat.app import create_app
from chat.prepare import prepare
from chat.services import Services
from chat.settings import Settings
from sessions import Scope, Site

API = "/api/v1"


@dataclass
class Api:
    """The application under test and a client of it. `secret`, `agent`, ... are bearer credentials."""

    app: FastAPI
    client: httpx.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return self.app.state.services

    async def call(
        self, method: str, path: str, credential: str | None = None, json: Any = None, **headers: str
    ) -> httpx.Response:
        """A call under `/api/v1`; keyword arguments are headers, `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if credential:
            sent["Authorization"] = f"Bearer {credential}"
        return await self.client.request(method, API + path, json=json, headers=sent)

    async def open(self, site: str = "demo") -> "Opened":
        """A new conversation."""
        answer = await self.call("POST", "/conversations", json={"site": site})
        assert answer.status_code == 201, answer.text
        return Opened(**answer.json())


@dataclass(frozen=True)
class Opened:
    id: str
    token: str
    greeting: str


def make_settings(var_dir: Path, **changes: Any) -> Settings:
    fields: dict[str, Any] = {
        "var_dir": var_dir,
        "database_url": f"sqlite:///{var_dir}/pindesk.db",
        "replicas": [],
        "replica_count": 1,
        "agent_key": "pdk_agent_of_the_tests",
        "operator_key": "pdk_operator_of_the_tests",
        "inference_key": "pdk_inference_of_the_tests",
        "secret": "secret of the tests",
        "otlp_port": 0,
        # A port on which nothing listens: the replica of these tests is away.
        "replica_port": 9,
    }
    return Settings(**fields | changes)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Api]:
    """The application with its lifespan, called without a network."""
    await prepare(settings)
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://web") as client:
        api = Api(app, client)
        api.keys = {
            "agent": settings.agent_key.get_secret_value(),
            "operator": settings.operator_key.get_secret_value(),
            "inference": settings.inference_key.get_secret_value(),
        }
        yield api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The application with a second site, `other`, and a key of an agent who works for that one only."""
    async with serving(make_settings(tmp_path)) as api:
        async with api.services.store.begin() as repo:
            await repo.sites.add(Site(key="other", name="Other", pack="demo-shop"))
            api.keys["other agent"] = await repo.sites.add_key(Scope.AGENT, ["other"], "agent of other")
        yield api
