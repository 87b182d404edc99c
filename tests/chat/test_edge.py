"""The outermost layer: headers on every response, a floor under faults, no other origin."""

import pytest

from sessions import Site, Unavailable
from tests.chat.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = [
    "/",
    "/livez",
    "/readyz",
    "/metrics",
    "/api/v1/nothing",
    "/api/v1/agent/conversations",
    "/v1/models",
    "/v1/nothing",
    "/nothing",
    "/theme.css",
]


@pytest.mark.parametrize("path", PATHS)
async def test_safe_headers_are_on_every_response(api: Api, path: str) -> None:
    headers = (await api.client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "object-src 'none'" in headers["content-security-policy"] or path != "/"


@pytest.mark.parametrize("path", ["/", "/config", "/api/v1/conversations", "/v1/models", "/gradio_api/queue/join"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://web.evil.example"])
async def test_no_other_origin_is_allowed(api: Api, path: str, method: str, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Host": "chat.example"}
    answer = await api.client.request(method, path, headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_fault_of_ours_is_a_500_without_its_words(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the customer wrote 4111 1111 1111 1111")

    monkeypatch.setattr("chat.conversations.post_turn", broken)
    one = await api.open()
    answer = await api.post(one, "hello")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], len(answer.json()["trace_id"])) == ("internal_error", 32)
    assert "4111" not in answer.text


async def test_a_database_that_is_away_is_a_503_with_retry_after(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("no route to db.internal")

    monkeypatch.setattr(api.services.store, "read", away)
    answer = await api.call("GET", "/conversations", "pdc_any")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "db.internal" not in answer.text
    ready = await api.client.get("/readyz")
    assert (ready.status_code, ready.json()["detail"]) == (503, "The database does not answer.")
    assert (await api.client.get("/livez")).status_code == 200


async def test_a_site_without_its_pack_is_a_503(api: Api) -> None:
    async with api.services.store.begin() as repo:
        await repo.sites.add(Site(key="bare", name="Bare", pack="nothing"))
    answer = await api.call("POST", "/conversations", json={"site": "bare"})
    assert (answer.status_code, answer.json()["code"]) == (503, "pack_missing")


async def test_wrong_method_is_a_405_of_ours(api: Api) -> None:
    answer = await api.call("PUT", "/conversations")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


async def test_every_refusal_has_a_trace_id_of_its_own(api: Api) -> None:
    ids = {(await api.call("GET", "/conversations")).json()["trace_id"] for _ in range(3)}
    assert len(ids) == 3


async def test_the_api_describes_itself(api: Api) -> None:
    described = (await api.call("GET", "/openapi.json")).json()
    assert {"/conversations", "/conversations/{conversation_id}/turns", "/replicas"} <= set(described["paths"])
