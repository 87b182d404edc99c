"""`Idempotency-Key`: sent twice, done once, answered twice."""

import asyncio

import pytest

from tests.chat.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_conversation_is_opened_once_and_answered_twice(api: Api) -> None:
    first, again = [
        await api.call("POST", "/conversations", json={"site": "demo"}, Idempotency_Key="open-1") for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    opened = first.json()
    assert (await api.call("GET", f"/conversations/{opened['id']}/messages", opened["token"])).status_code == 200


async def test_calls_at_the_same_time_open_one_conversation(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.call("POST", "/conversations", json={"site": "demo"}, Idempotency_Key="open-2") for _ in range(5))
    )
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_the_token_is_not_stored(api: Api) -> None:
    opened = (await api.call("POST", "/conversations", json={"site": "demo"}, Idempotency_Key="open-3")).json()
    await api.services.store.close()
    folder = api.services.settings.var_dir
    held = b"".join(path.read_bytes() for path in folder.glob("pindesk.db*"))
    assert opened["id"].encode() in held
    assert opened["token"].removeprefix("pdc_").encode() not in held
    await api.services.store.open()


async def test_another_body_is_refused_and_another_order_of_fields_is_not(api: Api) -> None:
    async def call(content: str) -> int:
        headers = {"Idempotency-Key": "open-4", "Content-Type": "application/json"}
        answer = await api.client.post("/api/v1/conversations", content=content, headers=headers)
        if answer.status_code == 422:
            assert (answer.json()["code"], answer.json()["field"]) == ("replay_mismatch", "Idempotency-Key")
        return answer.status_code

    assert await call('{"site": "demo", "locale": "en"}') == 201
    assert await call('{"locale":"en","site":"demo"}') == 201
    assert await call('{"site": "other", "locale": "en"}') == 422


async def test_a_key_belongs_to_its_caller_and_its_call(api: Api) -> None:
    one, two = await api.open(), await api.open()
    for opened in (one, two):
        answer = await api.call("POST", f"{opened.path}/rating", opened.token, {"score": 3}, Idempotency_Key="same")
        assert answer.status_code == 200
    answer = await api.call("POST", f"{one.path}/handoff", one.token, Idempotency_Key="same")
    assert answer.json() == {"id": one.id, "state": "waiting"}


async def test_an_agents_line_is_said_once(api: Api) -> None:
    one, agent = await api.open(), api.keys["agent"]
    said = [
        await api.call("POST", f"/agent{one.path}/messages", agent, {"text": "Hello"}, Idempotency_Key="m1")
        for _ in range(2)
    ]
    assert said[0].json() == said[1].json()
    assert await api.kinds(one) == ["message"]


async def test_a_refused_call_keeps_no_answer(api: Api) -> None:
    one, agent = await api.open(), api.keys["agent"]
    refused = await api.call("POST", f"/agent{one.path}/handback", agent, Idempotency_Key="h1")
    assert refused.status_code == 409
    await api.call("POST", f"/agent{one.path}/takeover", agent)
    assert (await api.call("POST", f"/agent{one.path}/handback", agent, Idempotency_Key="h1")).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 101, "with blank"])
async def test_an_unusable_key_is_named(api: Api, key: str) -> None:
    answer = await api.call("POST", "/conversations", json={"site": "demo"}, Idempotency_Key=key)
    assert answer.status_code == 422
    assert answer.json()["field"].lower() == "idempotency-key"
