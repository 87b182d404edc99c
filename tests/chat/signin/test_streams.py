"""Event streams of the staff end with the access that opened them."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.requests import Request

from chat import presence
from sessions import Scope
from tests.chat.conftest import Api
from tests.chat.signin.conftest import OWN, add_person, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


def opened_with(api: Api, **headers: str) -> Request:
    """The request of a stream."""
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": sent, "app": api.app})


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "EVERY_S", 0.02)


async def test_stream_ends_when_its_session_is_signed_out(
    api: Api, browser: Callable[[], httpx.AsyncClient], password_hash: str
) -> None:
    await add_person(api, "pat@example.com", password_hash)
    client, end = browser(), asyncio.Event()
    await sign_in(client, "pat@example.com")
    request = opened_with(api, Cookie=f"pindesk={client.cookies['pindesk']}")
    async with presence.ended_with_access(api.services, request, end):
        await asyncio.sleep(0.1)
        assert not end.is_set()
        await client.request("DELETE", "/session", headers=OWN)
        async with asyncio.timeout(5):
            await end.wait()


async def test_stream_ends_when_its_key_is_revoked(api: Api) -> None:
    async with api.services.store.begin() as repo:
        raw = await repo.sites.add_key(Scope.AGENT, None, "quitter")
    end = asyncio.Event()
    async with presence.ended_with_access(api.services, opened_with(api, Authorization=f"Bearer {raw}"), end):
        await asyncio.sleep(0.1)
        assert not end.is_set()
        async with api.services.store.begin() as repo:
            key = next(key for key in await repo.sites.keys() if key.label == "quitter")
            await repo.sites.revoke(key.id)
        async with asyncio.timeout(5):
            await end.wait()
