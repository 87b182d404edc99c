"""People of the staff in front of the real application, each with a browser's cookie jar."""

from collections.abc import Callable

import httpx
import pytest

from chat.signin.passwords import hashed
from sessions import Scope
from tests.chat.conftest import API, Api

PASSWORD = "a password of the tests"
OWN = {"X-Pindesk": "1", "Origin": "http://web"}


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hashed(PASSWORD)


async def add_person(
    api: Api, login: str, kept: str | None, *, roles: tuple[Scope, ...] = (Scope.AGENT,), sites: list[str] | None = None
) -> None:
    async with api.services.store.begin() as repo:
        person = await repo.people.add(login, login.partition("@")[0], roles, sites)
        person.password_hash = kept


@pytest.fixture
def browser(api: Api) -> Callable[[], httpx.AsyncClient]:
    """A new browser: its cookies are its own."""

    def new() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://web" + API)

    return new


async def sign_in(client: httpx.AsyncClient, login: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return await client.post("/session", json={"login": login, "password": password}, headers=OWN | headers)
