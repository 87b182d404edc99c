"""The agents' side: queue, view, taking over, writing, handing back, traces, templates."""

from datetime import datetime

import pytest

from sessions import Scope
from tests.chat.conftest import Api, Opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def database_url(on_both_databases: str | None) -> str | None:
    return on_both_databases


async def key_of(api: Api, name: str) -> str:
    async with api.services.store.begin() as repo:
        return await repo.sites.add_key(Scope.AGENT, None, name)


async def roles(api: Api, one: Opened) -> list[tuple[str, str]]:
    """The transcript as its customer reads it."""
    listed = (await api.call("GET", f"{one.path}/messages", one.token)).json()["data"]
    return [(message["role"], message["content"]) for message in listed]


async def test_queue_lists_newest_first_with_the_contracts_names(api: Api) -> None:
    one, two = await api.open(), await api.open()
    listed = (await api.call("GET", "/agent/conversations?limit=2", api.keys["agent"])).json()
    assert [row["id"] for row in listed["data"]] == [two.id, one.id]
    contract = {"id", "site", "state", "demand", "sentiment", "updated_at"}
    more = {"agent", "last_words", "contact", "waiting_since", "created_at"}
    assert set(listed["data"][0]) == contract | more
    assert datetime.fromisoformat(listed["data"][0]["updated_at"]).utcoffset().total_seconds() == 0


async def test_queue_is_filtered_by_state_and_read_in_pages(api: Api) -> None:
    waiting = [await api.open() for _ in range(3)]
    for one in waiting:
        await api.call("POST", f"{one.path}/handoff", one.token)
    seen, after = [], ""
    while True:
        path = f"/agent/conversations?state=waiting&limit=2{after}"
        listed = (await api.call("GET", path, api.keys["agent"])).json()
        seen += [row["id"] for row in listed["data"]]
        if listed["next"] is None:
            break
        after = f"&after={listed['next']}"
    assert seen == [one.id for one in reversed(waiting)]


async def test_view_holds_every_line_with_the_makings_of_replies(api: Api) -> None:
    one = await api.open()
    await api.post(one, "hello")
    view = (await api.call("GET", f"/agent{one.path}", api.keys["agent"])).json()
    assert {name: view[name] for name in ("id", "site", "state")} == {"id": one.id, "site": "demo", "state": "bot"}
    made = {"action", "template", "slots", "lookup", "demand", "sentiment", "action_reason", "usage", "replica"}
    made |= {"placement", "attempts", "trace_id", "ttfv_ms", "total_ms"}
    assert made <= set(view["messages"][0])


async def test_agent_takes_over_writes_and_hands_back(api: Api) -> None:
    one, kim = await api.open(), await key_of(api, "Kim")
    taken = await api.call("POST", f"/agent{one.path}/takeover", kim)
    assert (taken.status_code, taken.json()["state"]) == (200, "agent")
    said = await api.call("POST", f"/agent{one.path}/messages", kim, {"text": "Hello, I'm Kim."})
    assert (said.status_code, said.json()["role"]) == (200, "agent")
    back = await api.call("POST", f"/agent{one.path}/handback", kim, {"note": "has a voucher"})
    assert (back.status_code, back.json()["state"]) == (200, "bot")
    assert ("agent", "Hello, I'm Kim.") in await roles(api, one)
    assert "has a voucher" not in str(await roles(api, one))
    view = (await api.call("GET", f"/agent{one.path}", kim)).json()
    assert "has a voucher" in [message["content"] for message in view["messages"]]


async def test_of_two_agents_one_wins(api: Api) -> None:
    one, kim, lee = await api.open(), await key_of(api, "Kim"), await key_of(api, "Lee")
    assert (await api.call("POST", f"/agent{one.path}/takeover", kim)).status_code == 200
    lost = await api.call("POST", f"/agent{one.path}/takeover", lee)
    assert (lost.status_code, lost.json()["code"]) == (409, "already_taken")
    assert (await api.call("POST", f"/agent{one.path}/takeover", kim)).status_code == 200
    assert await api.kinds(one) == ["handoff", "message"]


async def test_bot_is_silent_while_an_agent_answers(api: Api) -> None:
    one = await api.open()
    await api.call("POST", f"/agent{one.path}/takeover", api.keys["agent"])
    assert (await api.post(one, "are you there?")).status_code == 202
    assert (await api.kinds(one))[-2:] == ["turn.started", "turn.stopped"]


async def test_handback_needs_an_agent(api: Api) -> None:
    one = await api.open()
    answer = await api.call("POST", f"/agent{one.path}/handback", api.keys["agent"])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_taken")


@pytest.mark.parametrize(("text", "code"), [("", "empty"), ("  ", "empty"), ("x" * 2001, "too_long")])
async def test_agents_words_are_measured(api: Api, text: str, code: str) -> None:
    one = await api.open()
    answer = await api.call("POST", f"/agent{one.path}/messages", api.keys["agent"], {"text": text})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "text")


async def test_trace_of_a_turn_is_a_tree(api: Api) -> None:
    one = await api.open()
    turn_id = (await api.post(one, "hello")).json()["turn_id"]
    trace = (await api.call("GET", f"/agent/turns/{turn_id}/trace", api.keys["agent"])).json()
    assert set(trace) == {"complete", "spans"}
    for span in trace["spans"]:
        assert {"span_id", "parent_id", "name", "service", "start_ns", "end_ns", "attributes"} <= set(span)
    assert (await api.call("GET", "/agent/turns/trn_none/trace", api.keys["agent"])).status_code == 404


async def test_templates_are_listed_with_their_slots(api: Api) -> None:
    listed = (await api.call("GET", "/sites/demo/templates", api.keys["agent"])).json()["data"]
    by_id = {template["id"]: template for template in listed}
    assert {"track_order", "order_not_found", "handoff", "clarify"} <= set(by_id)
    assert set(by_id["track_order"]) == {"id", "bodies", "slots"}
    assert [slot["name"] for slot in by_id["track_order"]["slots"]] == ["order_id"]
    lead = "Let me check that for you. "
    assert by_id["track_order"]["bodies"]["en"].startswith(lead)
    assert by_id["order_not_found"]["bodies"]["en"].startswith(lead)


async def test_replicas_have_the_contracts_names(api: Api) -> None:
    listed = (await api.call("GET", "/replicas", api.keys["operator"])).json()["data"]
    assert [replica["url"] for replica in listed] == ["http://127.0.0.1:9"]
    assert set(listed[0]) == {"id", "url", "state", "boot_id", "pins", "inflight", "waiting", "kv_usage"}
    for method in ("POST", "DELETE"):
        assert (await api.call(method, "/replicas/nobody/drain", api.keys["operator"])).status_code == 404


async def test_staff_see_how_to_reach_a_customer_and_not_what_pays(api: Api) -> None:
    one = await api.open()
    said = "refund my card 4111 1111 1111 1111, mail jane@example.com, order 10234"
    await api.post(one, said)
    shown = "refund my card [card], mail jane@example.com, order 10234"

    view = (await api.call("GET", f"/agent{one.path}", api.keys["agent"])).json()
    (listed,) = (await api.call("GET", "/agent/conversations?limit=1", api.keys["agent"])).json()["data"]

    assert view["messages"][0]["content"] == shown
    assert listed["last_words"] == shown
    assert ("customer", said) in await roles(api, one)
