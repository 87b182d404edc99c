"""Signed identities over the wire: what proves a person, what does not, and what follows from a proof."""

import json
import time
import uuid
import warnings
from base64 import urlsafe_b64encode
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey

from sessions import Site
from tests.chat.conftest import Api, Opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD, NEW = "the secret from before, long enough", "the newest secret of the site, long enough"


@pytest.fixture(scope="module")
def database_url(on_both_databases: str | None) -> str | None:
    return on_both_databases


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sites(api: Api) -> Api:
    """`signed` takes identities, `strict` nobody else, `other` none."""
    async with api.services.store.begin() as repo:
        for key, required in (("signed", False), ("strict", True)):
            if await repo.sites.get(key) is None:
                site = Site(key=key, name=key, pack="demo-shop", secrets=[NEW, OLD], identity_required=required)
                await repo.sites.add(site)
    return api


def sign(subject: Any = "ada", *, site: str = "signed", secret: str = NEW, alg: str = "HS256", **claims: Any) -> str:
    """A token as a website's server makes it; a claim that is None is left out."""
    whole = {"sub": subject, "aud": site, "exp": int(time.time()) + 120, "jti": uuid.uuid4().hex} | claims
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key = OctKey.import_key(secret)
        kept = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode({"alg": alg}, kept, key, algorithms=[alg])


def unsigned(**claims: Any) -> str:
    parts = ({"alg": "none"}, {"sub": "ada", "aud": "signed", "exp": int(time.time()) + 60, "jti": "n"} | claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


async def begin(api: Api, site: str = "signed", credential: str | None = None, **body: Any) -> Any:
    return await api.call("POST", "/conversations", credential, {"site": site} | body)


async def begun(api: Api, **body: Any) -> Opened:
    answer = await begin(api, **body)
    assert answer.status_code == 201, answer.text
    return Opened(**answer.json())


async def ids(api: Api, credential: str) -> set[str]:
    answer = await api.call("GET", "/conversations", credential)
    assert answer.status_code == 200, answer.text
    return {each["id"] for each in answer.json()["data"]}


async def test_history_follows_the_person_across_devices(sites: Api) -> None:
    phone = await begun(sites, identity=sign("across"))
    assert (await sites.post(phone, "Where is my order?")).status_code == 202
    desk = await sites.call("POST", "/identify", json={"site": "signed", "identity": sign("across")})
    token = desk.json()["token"]
    assert token != phone.token
    assert await ids(sites, token) == await ids(sites, phone.token) == {phone.id}
    read = await sites.call("GET", f"{phone.path}/messages", token)
    assert next(message["content"] for message in read.json()["data"]) == "Where is my order?"
    second = await begun(sites, credential=token)
    assert await ids(sites, phone.token) == {phone.id, second.id}
    assert await ids(sites, sign("across")) == {phone.id, second.id}, "the signed identity itself lists them, once"


async def test_a_proof_attaches_an_anonymous_conversation_and_its_token_is_void(sites: Api) -> None:
    one = await begun(sites)
    await sites.post(one, "Where is my order?")
    answer = await sites.call("POST", f"{one.path}/identify", one.token, {"identity": sign("attached")})
    assert answer.status_code == 200
    assert answer.json()["id"] == one.id
    token = answer.json()["token"]
    assert (await sites.call("GET", f"{one.path}/messages", one.token)).status_code == 401
    assert len((await sites.call("GET", f"{one.path}/messages", token)).json()["data"]) >= 1
    assert await ids(sites, sign("attached")) == {one.id}
    again = await sites.call("POST", f"{one.path}/identify", token, {"identity": sign("attached")})
    assert again.status_code == 200
    foreign = await sites.call("POST", f"{one.path}/identify", token, {"identity": sign("eve")})
    assert (foreign.status_code, foreign.json()["code"]) == (409, "identity_mismatch")


async def test_another_persons_conversations_do_not_exist(sites: Api) -> None:
    ada, eve = await begun(sites, identity=sign("ada-1")), await begun(sites, identity=sign("eve-1"))
    for method, path in (("GET", "/messages"), ("GET", "/events"), ("GET", "/export"), ("DELETE", "")):
        assert (await sites.call(method, ada.path + path, eve.token)).status_code == 404
    other_site = sign("ada-1", site="strict")
    assert await ids(sites, other_site) == set(), "the same subject on another site is somebody else"
    theirs = await sites.call("POST", f"{ada.path}/identify", eve.token, {"identity": sign("eve-1")})
    assert theirs.status_code == 404


NOW = int(time.time())
REFUSED = {
    "expired": (lambda: sign(exp=int(time.time()) - 1), "identity_expired"),
    "good for too long": (lambda: sign(exp=int(time.time()) + 600), "identity_too_long"),
    "no exp": (lambda: sign(exp=None), "identity_invalid"),
    "exp as text": (lambda: sign(exp="tomorrow"), "identity_invalid"),
    "exp without end": (lambda: sign(exp=float("inf")), "identity_too_long"),
    "exp that is no number": (lambda: sign(exp=float("nan")), "identity_expired"),
    "not yet": (lambda: sign(nbf=int(time.time()) + 100), "identity_invalid"),
    "another site's": (lambda: sign(site="strict"), "identity_wrong_site"),
    "no audience": (lambda: sign(aud=None), "identity_wrong_site"),
    "no subject": (lambda: sign(None), "identity_invalid"),
    "empty subject": (lambda: sign(""), "identity_invalid"),
    "subject as a number": (lambda: sign(7), "identity_invalid"),
    "endless subject": (lambda: sign("x" * 201), "identity_invalid"),
    "subject with a line break": (lambda: sign("ada\nadmin"), "identity_invalid"),
    "no jti": (lambda: sign(jti=None), "identity_invalid"),
    "another secret": (lambda: sign(secret="somebody else's secret, long enough"), "identity_invalid"),
    "another algorithm": (lambda: sign(alg="HS512"), "identity_invalid"),
    "no algorithm": (unsigned, "identity_invalid"),
    "tampered with": (lambda: sign()[:-3] + "AAA", "identity_invalid"),
    "no token": (lambda: "ada", "identity_invalid"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_proves_nothing_is_refused_everywhere(sites: Api, name: str) -> None:
    make, code = REFUSED[name]
    one = await begun(sites)
    answers = [
        await begin(sites, identity=make()),
        await sites.call("POST", "/identify", json={"site": "signed", "identity": make()}),
        await sites.call("POST", f"{one.path}/identify", one.token, {"identity": make()}),
    ]
    assert [(answer.status_code, answer.json()["code"], answer.json()["field"]) for answer in answers] == [
        (401, code, "identity")
    ] * 3
    assert (await sites.call("GET", f"{one.path}/messages", one.token)).status_code == 200, "its token still holds"


async def test_an_identity_is_good_for_one_use(sites: Api) -> None:
    token = sign("once")
    assert (await begin(sites, identity=token)).status_code == 201
    for answer in (
        await begin(sites, identity=token),
        await sites.call("POST", "/identify", json={"site": "signed", "identity": token}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "identity_replayed")
    assert (await sites.call("GET", "/conversations", token)).status_code == 401


async def test_a_repeated_call_with_its_key_is_answered_the_same(sites: Api) -> None:
    body = {"site": "signed", "identity": sign("repeated")}
    first, again = [await sites.call("POST", "/conversations", None, body, Idempotency_Key="k1") for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert await ids(sites, again.json()["token"]) == {first.json()["id"]}


async def test_two_secrets_are_good_while_one_is_rotated(sites: Api) -> None:
    for secret in (OLD, NEW):
        assert (await begin(sites, identity=sign("rotated", secret=secret))).status_code == 201
    async with sites.services.store.begin() as repo:
        await repo.sites.update("signed", secrets=[NEW])
    refused = await begin(sites, identity=sign("rotated", secret=OLD))
    async with sites.services.store.begin() as repo:
        await repo.sites.update("signed", secrets=[NEW, OLD])
    assert (refused.status_code, refused.json()["code"]) == (401, "identity_invalid")


async def test_a_site_without_a_secret_takes_none(sites: Api) -> None:
    answer = await begin(sites, "other", identity=sign(site="other"))
    assert (answer.status_code, answer.json()["code"]) == (422, "identity_not_accepted")


async def test_a_strict_site_serves_nobody_without_a_proof(sites: Api) -> None:
    refused = await begin(sites, "strict")
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        401, "identity_required", "identity",
    )  # fmt: skip
    answer = await begin(sites, "strict", identity=sign("strict-1", site="strict"))
    assert answer.status_code == 201
    one = Opened(**answer.json())
    assert (await sites.post(one, "hello")).status_code == 202
    known = await begin(sites, "strict", credential=one.token)
    assert known.status_code == 201
    elsewhere = await begin(sites, "signed", credential=one.token)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (401, "identity_wrong_site")


async def test_a_site_that_becomes_strict_keeps_its_conversations_for_those_who_prove(sites: Api) -> None:
    one = await begun(sites)
    async with sites.services.store.begin() as repo:
        await repo.sites.update("signed", identity_required=True)
    try:
        assert (await sites.post(one, "hello")).status_code == 401
        assert (await sites.call("GET", f"{one.path}/events", one.token)).status_code == 401
        proved = await sites.call("POST", f"{one.path}/identify", one.token, {"identity": sign("late")})
        assert proved.status_code == 200
        assert await ids(sites, proved.json()["token"]) == {one.id}
    finally:
        async with sites.services.store.begin() as repo:
            await repo.sites.update("signed", identity_required=False)


async def test_identify_needs_the_conversations_token(sites: Api) -> None:
    one, two = await begun(sites), await begun(sites)
    identity = sign("needs")
    for credential, status in ((None, 401), ("pdc_nobody", 401), (two.token, 404), (sites.keys["agent"], 401)):
        answer = await sites.call("POST", f"{one.path}/identify", credential, {"identity": identity})
        assert answer.status_code == status
    assert (await sites.call("POST", f"{one.path}/identify", one.token, {"identity": identity})).status_code == 200


async def test_what_a_person_deletes_is_gone_on_every_device(sites: Api) -> None:
    one = await begun(sites, identity=sign("leaving"))
    other = (await sites.call("POST", "/identify", json={"site": "signed", "identity": sign("leaving")})).json()[
        "token"
    ]
    assert (await sites.call("DELETE", one.path, one.token)).status_code == 204
    assert (await sites.call("GET", "/conversations", other)).status_code == 401
