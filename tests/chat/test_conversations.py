"""Conversations over the real application: opening, posting, reading, ending, removing."""

from typing import Any

import pytest

from tests.chat.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def database_url(on_both_databases: str | None) -> str | None:
    return on_both_databases


async def test_opens_with_the_packs_greeting(api: Api) -> None:
    answer = await api.call("POST", "/conversations", json={"site": "demo", "locale": "en-GB"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "token", "greeting"}
    assert body["greeting"] == api.services.packs.named("demo-shop").greeting["en"]
    assert body["token"].startswith("pdc_")


async def test_unknown_site_is_not_found(api: Api) -> None:
    answer = await api.call("POST", "/conversations", json={"site": "nobody"})
    assert (answer.status_code, answer.json()["field"]) == (404, "site")


async def test_disabled_site_is_not_found(api: Api) -> None:
    async with api.services.store.begin() as repo:
        await repo.sites.update("other", enabled=False)
    assert (await api.call("POST", "/conversations", json={"site": "other"})).status_code == 404
    async with api.services.store.begin() as repo:
        await repo.sites.update("other", enabled=True)


async def test_turn_is_accepted_and_its_replay_answers_the_same(api: Api) -> None:
    one = await api.open()
    first, again = await api.post(one, "Where is my order?"), await api.post(one, "Where is my order?")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert set(first.json()) == {"turn_id", "seq"}


async def test_replay_with_another_body_is_refused(api: Api) -> None:
    one = await api.open()
    await api.post(one, "Where is my order?")
    answer = await api.post(one, "Cancel my order!")
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == ("replay_mismatch", "client_turn_id")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"text": "", "client_turn_id": "t"}, "empty", "text"),
        ({"text": " \n\t", "client_turn_id": "t"}, "empty", "text"),
        ({"text": "\u200e\u202e\x00", "client_turn_id": "t"}, "empty", "text"),
        ({"text": "x" * 2001, "client_turn_id": "t"}, "too_long", "text"),
        ({"text": 7, "client_turn_id": "t"}, "invalid_field", "text"),
        ({"text": "hi"}, "missing_field", "client_turn_id"),
        ({"text": "hi", "client_turn_id": ""}, "invalid_field", "client_turn_id"),
        ({"text": "hi", "client_turn_id": "t", "role": "system"}, "unknown_field", "role"),
        (["hi"], "invalid_body", None),
        (None, "invalid_body", None),
    ],
)
async def test_bad_turn_names_its_field(api: Api, body: Any, code: str, field: str | None) -> None:
    one = await api.open()
    answer = await api.call("POST", f"{one.path}/turns", one.token, body)
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem.get("field")) == (code, field)
    assert len(problem["trace_id"]) == 32


async def test_bad_text_names_its_limit(api: Api) -> None:
    one = await api.open()
    assert (await api.post(one, "x" * 20_000)).json()["limit"] == 2000
    assert (await api.post(one, "")).json()["limit"] == 2000


@pytest.mark.parametrize("body", [b"{", b'{"text": "\xff"}', b"[" * 100_000, b'{"text": ' + b"9" * 5000 + b"}"])
async def test_broken_json_is_a_400(api: Api, body: bytes) -> None:
    one = await api.open()
    headers = {"Authorization": f"Bearer {one.token}", "Content-Type": "application/json"}
    answer = await api.client.post(f"/api/v1{one.path}/turns", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_half_a_surrogate_is_refused(api: Api) -> None:
    one = await api.open()
    headers = {"Authorization": f"Bearer {one.token}", "Content-Type": "application/json"}
    body = b'{"text": "hi \\ud800", "client_turn_id": "t"}'
    answer = await api.client.post(f"/api/v1{one.path}/turns", content=body, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, "text")


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_beyond_the_limit_is_a_413(api: Api, declared: bool) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 10_000

    one = await api.open()
    headers = {"Authorization": f"Bearer {one.token}", "Content-Type": "application/json"}
    content = b" " * 200_000 if declared else chunks()
    answer = await api.client.post(f"/api/v1{one.path}/turns", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_messages_have_the_contracts_shape(api: Api) -> None:
    one = await api.open()
    await api.post(one, "  Where is my order?  ")
    answer = await api.call("GET", f"{one.path}/messages", one.token)
    body = answer.json()
    first = body["data"][0]
    assert set(first) == {"id", "seq", "turn_id", "role", "content", "quick_replies", "created_at"}
    assert (first["role"], first["content"], first["seq"]) == ("customer", "Where is my order?", 1)
    assert body["next"] is None


async def test_messages_are_read_in_pages(api: Api) -> None:
    one = await api.open()
    for number in range(3):
        await api.post(one, f"message {number}", f"t{number}")
    seen, after = [], "0"
    while after:
        page = (await api.call("GET", f"{one.path}/messages?limit=1&after={after}", one.token)).json()
        assert len(page["data"]) == 1
        seen += [message["content"] for message in page["data"] if message["role"] == "customer"]
        after = page["next"]
    assert seen == ["message 0", "message 1", "message 2"]


async def test_customer_lists_the_conversations_of_several_tokens(api: Api) -> None:
    one, two = await api.open(), await api.open()
    stranger = await api.open()
    both = f"{one.token}, {two.token}"
    listed = (await api.call("GET", "/conversations", both)).json()
    assert [item["id"] for item in listed["data"]] == [two.id, one.id]
    first = (await api.call("GET", "/conversations?limit=1", both)).json()
    rest = (await api.call("GET", f"/conversations?limit=1&after={first['next']}", both)).json()
    assert [first["data"][0]["id"], rest["data"][0]["id"]] == [two.id, one.id]
    assert rest["next"] is None
    assert (await api.call("GET", f"/conversations?after={stranger.id}", both)).status_code == 404


async def test_stop_and_retry(api: Api) -> None:
    one = await api.open()
    turn_id = (await api.post(one, "hello")).json()["turn_id"]
    stopped = await api.call("POST", f"{one.path}/turns/{turn_id}/stop", one.token)
    assert stopped.status_code == 200
    assert stopped.json()["turn_id"] == turn_id
    assert (await api.call("POST", f"{one.path}/turns/trn_none/stop", one.token)).status_code == 404


async def test_only_the_newest_turn_can_be_tried_again(api: Api) -> None:
    one = await api.open()
    turn_id = (await api.post(one, "hello")).json()["turn_id"]
    await api.post(one, "again", "t2")
    answer = await api.call("POST", f"{one.path}/turns/{turn_id}/retry", one.token)
    assert (answer.status_code, answer.json()["code"]) == (409, "turn_not_retryable")


async def test_asking_for_a_human_is_told_once(api: Api) -> None:
    one = await api.open()
    for _ in range(2):
        answer = await api.call("POST", f"{one.path}/handoff", one.token)
        assert (answer.status_code, answer.json()) == (200, {"id": one.id, "state": "waiting"})
    assert await api.kinds(one) == ["handoff", "message"]


async def test_closed_conversation_takes_no_turn(api: Api) -> None:
    one = await api.open()
    assert (await api.call("POST", f"{one.path}/close", one.token)).json()["state"] == "closed"
    assert (await api.call("POST", f"{one.path}/close", one.token)).status_code == 200
    answer = await api.post(one, "hello?")
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation_closed")
    assert (await api.call("POST", f"{one.path}/rating", one.token, {"score": 5})).status_code == 200
    assert await api.kinds(one) == ["message", "conversation.closed"]


@pytest.mark.parametrize("score", [0, 6, 2.5, "5", True, None])
async def test_rating_is_a_whole_number_from_1_to_5(api: Api, score: Any) -> None:
    one = await api.open()
    answer = await api.call("POST", f"{one.path}/rating", one.token, {"score": score})
    assert (answer.status_code, answer.json()["field"]) == (422, "score")


async def test_feedback_needs_a_reply(api: Api) -> None:
    one = await api.open()
    await api.post(one, "hello")
    message = (await api.call("GET", f"{one.path}/messages", one.token)).json()["data"][0]
    path = f"/messages/{message['id']}/feedback"
    assert (await api.call("POST", path, one.token, {"value": "up"})).status_code == 404
    assert (await api.call("POST", path, one.token, {"value": "sideways"})).json()["field"] == "value"


async def test_typing_is_passed_on_but_not_more_than_once_a_second(api: Api) -> None:
    one = await api.open()
    for _ in range(5):
        assert (await api.call("POST", f"{one.path}/typing", one.token)).status_code == 200
    assert await api.kinds(one) == ["typing"]


async def test_painted_reaches_the_turns_trace(api: Api) -> None:
    one = await api.open()
    turn_id = (await api.post(one, "hello")).json()["turn_id"]
    assert (await api.call("POST", f"{one.path}/painted", one.token)).status_code == 200
    beacon = {"turn_id": turn_id, "first_text_ms": 120.5}
    assert (await api.call("POST", f"{one.path}/painted", one.token, beacon)).status_code == 200
    async with api.services.store.read() as repo:
        trace_id = (await repo.turns.get(api.services.keys.staff(api.keys["agent"]), turn_id)).trace_id
    spans = (await api.services.telemetry.trace(trace_id, wait_s=0))["spans"]
    assert [span["attributes"]["pindesk.paint.since_click_ms"] for span in spans if span["name"] == "paint"] == [120.5]
    other = await api.open()
    assert (await api.call("POST", f"{other.path}/painted", other.token, beacon)).status_code == 404


async def test_export_holds_everything_and_delete_leaves_nothing(api: Api) -> None:
    one = await api.open()
    await api.post(one, "my secret order 10234")
    export = await api.call("GET", f"{one.path}/export", one.token)
    assert export.status_code == 200
    assert "my secret order 10234" in export.text
    assert (await api.call("DELETE", one.path, one.token)).status_code == 204
    assert (await api.call("GET", f"{one.path}/messages", one.token)).status_code == 401
    assert (await api.call("GET", f"/agent{one.path}", api.keys["agent"])).status_code == 404


async def test_page_traceparent_is_continued(api: Api) -> None:
    one = await api.open()
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    sent = {"text": "hello", "client_turn_id": "t1"}
    answer = await api.call(
        "POST", f"{one.path}/turns", one.token, sent, traceparent=f"00-{trace_id}-b7ad6b7169203331-01"
    )
    async with api.services.store.read() as repo:
        turn = await repo.turns.get(api.services.keys.staff(api.keys["agent"]), answer.json()["turn_id"])
    assert turn.trace_id == trace_id


async def test_identity_is_refused_while_the_site_takes_none(api: Api) -> None:
    answer = await api.call("POST", "/conversations", json={"site": "demo", "identity": "x.y.z"})
    assert (answer.status_code, answer.json()["field"]) == (422, "identity")
