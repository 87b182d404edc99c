"""Signing in by password: the cookie, what it may do and from where, when it ends, what the audit log says."""

from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from sessions import Scope
from sessions.columns import now
from sessions.models import StaffSession
from tests.chat.conftest import Api, make_settings, serving
from tests.chat.signin.conftest import OWN, PASSWORD, add_person, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
Browser = Callable[[], httpx.AsyncClient]


@pytest.fixture(scope="module")
def database_url(on_both_databases: str | None) -> str | None:
    return on_both_databases


async def audited(api: Api, login: str) -> list[tuple[str, dict[str, object]]]:
    async with api.services.store.read() as repo:
        return [(each.action, each.details) for each in await repo.audit.list() if each.actor == login]


async def age_sessions(api: Api, **columns: timedelta) -> None:
    """Let every session have begun, or been seen, so much earlier."""
    async with api.services.store.begin() as repo:
        await repo.tx.session.execute(update(StaffSession).values({n: now() - by for n, by in columns.items()}))


async def test_sign_in_gives_a_cookie_that_no_script_reads(api: Api, browser: Browser, password_hash: str) -> None:
    await add_person(api, "ann@example.com", password_hash, sites=["demo"])
    client = browser()
    answer = await sign_in(client, "Ann@Example.com")
    assert (answer.status_code, answer.json()) == (200, {"name": "ann", "roles": ["agent"], "sites": ["demo"]})
    cookie = SimpleCookie(answer.headers["set-cookie"])["pindesk"]
    assert cookie["httponly"] and cookie["samesite"] == "strict" and cookie["path"] == "/" and not cookie["secure"]
    assert cookie.value not in answer.text
    assert (await client.get("/session")).json()["name"] == "ann"
    assert (await browser().get("/session")).status_code == 401
    assert await audited(api, "ann@example.com") == [("session.begun", {"by": "password"})]


async def test_store_keeps_neither_password_nor_session(api: Api, browser: Browser, password_hash: str) -> None:
    await add_person(api, "bea@example.com", password_hash)
    client = browser()
    await sign_in(client, "bea@example.com")
    async with api.services.store.read() as repo:
        person = await repo.people.by_login("bea@example.com")
        kept = (await repo.tx.session.scalars(select(StaffSession.hash))).all()
    assert person.password_hash.startswith("$argon2id$")
    assert client.cookies["pindesk"] not in kept and len(kept) > 0


@pytest.mark.parametrize("login", ["cat@example.com", "nobody@example.com"])
async def test_wrong_password_and_unknown_login_read_alike(
    api: Api, browser: Browser, login: str, password_hash: str
) -> None:
    if login.startswith("cat"):
        await add_person(api, login, password_hash)
    answer = await sign_in(browser(), login, "not the password at all")
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
    assert "set-cookie" not in answer.headers
    assert ("session.refused", {"reason": "password"}) in await audited(api, login)


async def test_account_without_password_cannot_sign_in_by_one(api: Api, browser: Browser) -> None:
    await add_person(api, "dan@example.com", None)
    assert (await sign_in(browser(), "dan@example.com", "")).status_code == 422
    assert (await sign_in(browser(), "dan@example.com")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Pindesk": "1", "Origin": "https://evil.example"},
        {"X-Pindesk": "1", "Origin": "null"},
        {"X-Pindesk": "1", "Origin": "http://web.evil.example"},
        {"X-Pindesk": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Pindesk": "1", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://web", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_foreign_page_cannot_act_with_the_cookie(
    api: Api, browser: Browser, password_hash: str, headers: dict[str, str]
) -> None:
    one, login = await api.open(), f"eve{abs(hash(str(headers)))}@example.com"
    await add_person(api, login, password_hash)
    client = browser()
    await sign_in(client, login)
    refused = await client.post(f"/agent{one.path}/takeover", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")
    named = {"login": login, "password": PASSWORD}
    assert (await browser().post("/session", json=named, headers=headers)).status_code == 403
    assert (await client.post(f"/agent{one.path}/takeover", headers=OWN)).json()["agent"] == login.partition("@")[0]


async def test_account_sees_its_sites_and_does_what_its_roles_allow(
    api: Api, browser: Browser, password_hash: str
) -> None:
    mine, other = await api.open("other"), await api.open("demo")
    await add_person(api, "fay@example.com", password_hash, sites=["other"])
    await add_person(api, "guy@example.com", password_hash, roles=(Scope.OPERATOR,))
    fay, guy = browser(), browser()
    await sign_in(fay, "fay@example.com")
    await sign_in(guy, "guy@example.com")
    listed = {row["id"] for row in (await fay.get("/agent/conversations?limit=200")).json()["data"]}
    assert mine.id in listed and other.id not in listed
    assert (await fay.get(f"/agent{other.path}")).status_code == 404
    assert (await fay.get("/replicas")).status_code == 403
    assert (await guy.get("/replicas")).status_code == 200
    assert (await guy.get("/agent/conversations")).status_code == 403
    assert [entry["action"] for entry in (await guy.get("/audit?limit=1")).json()["data"]] == ["session.begun"]


async def test_key_goes_before_the_cookie(api: Api, browser: Browser, password_hash: str) -> None:
    await add_person(api, "hal@example.com", password_hash)
    client = browser()
    await sign_in(client, "hal@example.com")
    key = {"Authorization": f"Bearer {api.keys['operator']}"}
    assert (await client.get("/session", headers=key)).json() == {
        "name": "operator",
        "roles": ["operator"],
        "sites": None,
    }
    assert (await client.get("/session", headers={"Authorization": "Bearer pdk_wrong"})).status_code == 401


async def test_signing_out_ends_the_session_and_its_side_panels(api: Api, browser: Browser, password_hash: str) -> None:
    await add_person(api, "ida@example.com", password_hash)
    client = browser()
    await sign_in(client, "ida@example.com")
    stolen = dict(client.cookies)
    token = (await client.post("/session/panel", headers=OWN)).json()["token"]
    by_token = {"Authorization": f"Bearer {token}"}
    assert (await browser().get("/agent/conversations", headers=by_token)).status_code == 200
    assert (await client.request("DELETE", "/session")).status_code == 403
    assert (await client.request("DELETE", "/session", headers=OWN)).status_code == 204
    assert not client.cookies
    assert (await browser().get("/session", cookies=stolen)).status_code == 401
    assert (await browser().get("/agent/conversations", headers=by_token)).status_code == 401


async def test_key_makes_no_side_panel(api: Api) -> None:
    answer = await api.call("POST", "/session/panel", api.keys["agent"])
    assert (answer.status_code, answer.json()["code"]) == (409, "no_session")


@pytest.mark.parametrize("aged", [{"seen_at": timedelta(hours=3)}, {"created_at": timedelta(hours=13)}])
async def test_session_ends_when_idle_and_when_old(
    api: Api, browser: Browser, password_hash: str, aged: dict[str, timedelta]
) -> None:
    login = f"{next(iter(aged))}@example.com"
    await add_person(api, login, password_hash)
    client = browser()
    await sign_in(client, login)
    await age_sessions(api, **aged)
    assert (await client.get("/session")).status_code == 401


async def test_use_keeps_a_session(api: Api, browser: Browser, password_hash: str) -> None:
    await add_person(api, "joe@example.com", password_hash)
    client = browser()
    await sign_in(client, "joe@example.com")
    for _ in range(3):
        await age_sessions(api, seen_at=timedelta(minutes=100))
        assert (await client.get("/session")).status_code == 200
    await age_sessions(api, seen_at=timedelta(minutes=1))
    assert (await client.get("/session")).status_code == 200


async def test_disabled_account_is_out_at_once(api: Api, browser: Browser, password_hash: str) -> None:
    await add_person(api, "kit@example.com", password_hash)
    client = browser()
    await sign_in(client, "kit@example.com")
    async with api.services.store.begin() as repo:
        await repo.people.update("kit@example.com", disabled_at=now())
    assert (await client.get("/session")).status_code == 401
    assert (await sign_in(browser(), "kit@example.com")).status_code == 401


async def test_over_https_the_cookie_belongs_to_this_host_alone(
    tmp_path: Path, password_hash: str, browser_of: Callable[[Api], httpx.AsyncClient]
) -> None:
    async with serving(make_settings(tmp_path, public_url="https://desk.example")) as api:
        await add_person(api, "lou@example.com", password_hash)
        client = browser_of(api)
        answer = await sign_in(client, "lou@example.com", Origin="https://desk.example")
        assert "__Host-pindesk=" in answer.headers["set-cookie"]
        assert "secure" in answer.headers["set-cookie"].lower()


async def test_guessing_is_slowed_down(
    tmp_path: Path, password_hash: str, browser_of: Callable[[Api], httpx.AsyncClient]
) -> None:
    async with serving(make_settings(tmp_path, login_limit="3/minute")) as api:
        await add_person(api, "mia@example.com", password_hash)
        client = browser_of(api)
        tried = [(await sign_in(client, "mia@example.com", f"guess {n}")).status_code for n in range(4)]
        assert tried == [401, 401, 401, 429]
        await add_person(api, "mat@example.com", password_hash)
        assert (await sign_in(client, "mat@example.com")).status_code == 429
        last = await sign_in(client, "mia@example.com")
        assert last.status_code == 429
        assert 1 <= int(last.headers["retry-after"]) <= 60


@pytest.fixture
def browser_of() -> Callable[[Api], httpx.AsyncClient]:
    return lambda api: httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://web/api/v1")
