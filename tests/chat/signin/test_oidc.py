"""Signing in by an identity provider, over a small real one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.chat.conftest import Api, make_settings, serving
from tests.chat.signin.conftest import add_person
from tests.chat.signin.provider import CLIENT_ID, Provider


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as provider:
        yield provider


@pytest.fixture
async def api(provider: Provider, tmp_path: Path) -> AsyncIterator[Api]:
    oidc = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT_ID, "oidc_client_secret": "hush"}
    async with serving(make_settings(tmp_path, **oidc, oidc_name="Example")) as api:
        await add_person(api, "nia@example.com", None, sites=["demo"])
        yield api


@pytest.fixture
def visitor(api: Api) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://web")


async def to_provider(visitor: httpx.AsyncClient, path: str = "/agent/oidc") -> str:
    """Where the provider sends the browser back to."""
    begun = await visitor.get(path)
    assert begun.status_code == 303, begun.text
    assert "samesite=lax" in begun.headers["set-cookie"].lower()
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        return (await elsewhere.get(begun.headers["location"])).headers["location"]


async def come_back(visitor: httpx.AsyncClient, address: str) -> tuple[str, dict[str, list[str]]]:
    answer = await visitor.get(address)
    where = urlsplit(answer.headers["location"])
    return where.path, parse_qs(where.query)


async def who(visitor: httpx.AsyncClient) -> str | None:
    return (await visitor.get("/api/v1/session")).json().get("name")


async def test_provider_signs_in_the_account_with_the_verified_address(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/api/v1/session/ways")).json() == {"password": True, "oidc": "Example"}
    assert await come_back(visitor, await to_provider(visitor)) == ("/agent", {})
    assert await who(visitor) == "nia"


async def test_provider_brings_back_to_the_page_that_was_wanted(visitor: httpx.AsyncClient) -> None:
    assert await come_back(visitor, await to_provider(visitor, "/agent/oidc?next=operator")) == ("/operator", {})
    answer = await visitor.get("/agent/oidc?next=https://evil.example")
    assert answer.status_code == 422
    refused = {"error": ["sign_in_failed"]}
    assert await come_back(visitor, "/agent/oidc/callback?state=x&code=y") == ("/agent/login", refused)


async def test_later_the_subject_counts_and_not_the_address(
    api: Api, provider: Provider, visitor: httpx.AsyncClient
) -> None:
    await come_back(visitor, await to_provider(visitor))
    provider.claims |= {"email": "married@example.com"}
    assert await come_back(visitor, await to_provider(visitor)) == ("/agent", {})
    provider.claims = {"sub": "somebody else", "email": "nia@example.com", "email_verified": True}
    assert await come_back(visitor, await to_provider(visitor)) == ("/agent/login", {"error": ["unknown_account"]})


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "u2", "email": "stranger@example.com", "email_verified": True},
        {"sub": "u1", "email": "nia@example.com", "email_verified": False},
        {"sub": "u1", "email": "nia@example.com", "email_verified": "true"},
        {"sub": "u1", "email": "nia@example.com"},
        {"sub": "u1"},
    ],
)
async def test_nobody_without_an_account_gets_in(
    provider: Provider, visitor: httpx.AsyncClient, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert await come_back(visitor, await to_provider(visitor)) == ("/agent/login", {"error": ["unknown_account"]})
    assert await who(visitor) is None


def other_audience(provider: Provider) -> None:
    provider.forge = {"aud": "another client"}


def other_issuer(provider: Provider) -> None:
    provider.forge = {"iss": "https://evil.example"}


def other_nonce(provider: Provider) -> None:
    provider.forge = {"nonce": "of another sign-in"}


def long_ago(provider: Provider) -> None:
    provider.forge = {"exp": 1}


def other_key(provider: Provider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})


@pytest.mark.parametrize("spoil", [other_audience, other_issuer, other_nonce, long_ago, other_key])
async def test_token_that_does_not_fit_is_refused(
    provider: Provider, visitor: httpx.AsyncClient, spoil: Callable[[Provider], None]
) -> None:
    spoil(provider)
    assert await come_back(visitor, await to_provider(visitor)) == ("/agent/login", {"error": ["sign_in_failed"]})
    assert await who(visitor) is None


async def test_answer_counts_in_the_browser_that_asked_and_once(api: Api, visitor: httpx.AsyncClient) -> None:
    address = await to_provider(visitor)
    other = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://web")
    assert await come_back(other, address) == ("/agent/login", {"error": ["sign_in_failed"]})
    await to_provider(other)
    assert await come_back(other, address) == ("/agent/login", {"error": ["sign_in_failed"]})
    assert await come_back(visitor, address) == ("/agent", {})
    assert await come_back(visitor, address) == ("/agent/login", {"error": ["sign_in_failed"]})


async def test_popup_ends_where_its_token_is_handed_over(visitor: httpx.AsyncClient) -> None:
    back = await to_provider(visitor, "/agent/oidc?popup=1")
    assert await come_back(visitor, back) == ("/agent/login", {"popup": ["1"]})
    assert await who(visitor) == "nia"


async def test_provider_that_is_away_is_said(provider: Provider, visitor: httpx.AsyncClient) -> None:
    await provider.__aexit__(None, None, None)
    assert await come_back(visitor, "/agent/oidc") == ("/agent/login", {"error": ["provider_unavailable"]})


async def test_without_a_provider_there_is_no_way_to_one(tmp_path: Path) -> None:
    async with serving(make_settings(tmp_path)) as api:
        visitor = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://web")
        assert (await visitor.get("/api/v1/session/ways")).json() == {"password": True, "oidc": None}
        assert (await visitor.get("/agent/oidc")).status_code == 404
