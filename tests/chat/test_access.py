"""Who may call what: every route with every kind of caller."""

import pytest

from tests.chat.conftest import Api, Opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

TURN = {"text": "hello", "client_turn_id": "t"}
CALLERS = ("anonymous", "stranger", "customer", "other customer", "agent", "other agent", "operator", "inference")

# What each caller gets, in the order of CALLERS. {id} is the customer's conversation, on the site `demo`.
CUSTOMER_ONLY = (401, 401, "ok", 404, 403, 403, 403, 403)
BOTH_SIDES = (401, 401, "ok", 404, "ok", 404, 403, 403)
AGENT_OF_IT = (401, 401, 403, 403, "ok", 404, 403, 403)
ANY_AGENT = (401, 401, 403, 403, "ok", "ok", 403, 403)
OPERATOR = (401, 401, 403, 403, 403, 403, "ok", 403)

ROUTES = [
    ("GET", "/conversations", None, (401, 401, "ok", "ok", 403, 403, 403, 403)),
    ("GET", "/conversations/{id}/messages", None, BOTH_SIDES),
    ("POST", "/conversations/{id}/turns", TURN, CUSTOMER_ONLY),
    ("POST", "/conversations/{id}/turns/{turn}/stop", None, CUSTOMER_ONLY),
    ("POST", "/conversations/{id}/painted", None, CUSTOMER_ONLY),
    ("POST", "/conversations/{id}/handoff", None, CUSTOMER_ONLY),
    ("POST", "/conversations/{id}/rating", {"score": 4}, CUSTOMER_ONLY),
    ("GET", "/conversations/{id}/feedback", None, BOTH_SIDES),
    ("POST", "/conversations/{id}/leave", {"text": "Call me."}, CUSTOMER_ONLY),
    ("POST", "/conversations/{id}/typing", None, BOTH_SIDES),
    ("GET", "/conversations/{id}/export", None, BOTH_SIDES),
    ("GET", "/agent/conversations", None, ANY_AGENT),
    ("GET", "/agent/conversations/{id}", None, AGENT_OF_IT),
    ("POST", "/agent/conversations/{id}/messages", {"text": "I'm Kim."}, AGENT_OF_IT),
    ("GET", "/agent/turns/{turn}/trace", None, AGENT_OF_IT),
    ("POST", "/agent/conversations/{id}/summary", None, AGENT_OF_IT),
    ("GET", "/session", None, (401, 401, 403, 403, "ok", "ok", "ok", "ok")),
    ("GET", "/suggestions/outcomes", None, OPERATOR),
    ("GET", "/audit", None, OPERATOR),
    ("GET", "/sites/demo/templates", None, AGENT_OF_IT),
    ("GET", "/replicas", None, OPERATOR),
    ("GET", "/operator/figures", None, OPERATOR),
    ("POST", "/replicas/r0/drain", None, OPERATOR),
    ("DELETE", "/replicas/r0/drain", None, OPERATOR),
    # Last, because they change who answers the conversation, and whether there is one.
    ("POST", "/agent/conversations/{id}/takeover", None, AGENT_OF_IT),
    ("POST", "/agent/conversations/{id}/handback", None, AGENT_OF_IT),
    ("POST", "/conversations/{id}/close", None, BOTH_SIDES),
    ("DELETE", "/conversations/{id}", None, BOTH_SIDES),
]


def credential(api: Api, caller: str, one: Opened, two: Opened) -> str | None:
    fixed = {"anonymous": None, "stranger": "pdc_nobody", "customer": one.token, "other customer": two.token}
    return fixed[caller] if caller in fixed else api.keys[caller]


@pytest.mark.parametrize(("method", "path", "body", "expected"), ROUTES, ids=[f"{r[0]} {r[1]}" for r in ROUTES])
async def test_route_serves_its_callers_only(
    api: Api, method: str, path: str, body: object, expected: tuple[int | str, ...]
) -> None:
    """Refused callers go first: the last of the two who may would find the conversation closed, taken or gone."""
    for index, caller in sorted(enumerate(CALLERS), key=lambda item: expected[item[0]] == "ok"):
        one, two = await api.open(), await api.open()
        turn_id = (await api.post(one, "hello")).json()["turn_id"]
        if path.endswith("/handback"):
            await api.call("POST", f"/agent{one.path}/takeover", api.keys["agent"])
        address = path.format(id=one.id, turn=turn_id)
        answer = await api.call(method, address, credential(api, caller, one, two), body)
        if expected[index] == "ok":
            assert answer.is_success, (caller, answer.text)
        else:
            assert answer.status_code == expected[index], (caller, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers.get("www-authenticate") == ("Bearer" if expected[index] == 401 else None)


async def test_lists_hold_the_callers_own_only(api: Api) -> None:
    one, two = await api.open("demo"), await api.open("other")
    seen = {
        caller: {
            row["id"]
            for row in (await api.call("GET", "/agent/conversations?limit=200", api.keys[caller])).json()["data"]
        }
        for caller in ("agent", "other agent")
    }
    assert {one.id, two.id} <= seen["agent"]
    assert two.id in seen["other agent"]
    assert one.id not in seen["other agent"]


@pytest.mark.parametrize("written", ["", "Bearer", "Bearer ", "Basic cGRjXzphYmM=", "bearer nobody", "Bearer ,"])
async def test_bad_authorization_is_a_401(api: Api, written: str) -> None:
    answer = await api.call("GET", "/conversations", Authorization=written)
    assert answer.status_code == 401


async def test_revoked_key_is_a_401(api: Api) -> None:
    from sessions import Scope

    async with api.services.store.begin() as repo:
        raw = await repo.sites.add_key(Scope.AGENT, None, "leaver")
    assert (await api.call("GET", "/agent/conversations", raw)).status_code == 200
    async with api.services.store.begin() as repo:
        key = next(key for key in await repo.sites.keys() if key.label == "leaver")
        await repo.sites.revoke(key.id)
    assert (await api.call("GET", "/agent/conversations", raw)).status_code == 401


@pytest.mark.parametrize("path", ["/conversations/cnv_none", "/conversations/%00", "/nothing", "/agent/nothing"])
async def test_unknown_addresses_are_404s_of_ours(api: Api, path: str) -> None:
    one = await api.open()
    answer = await api.call("GET", f"{path}/messages", one.token)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
