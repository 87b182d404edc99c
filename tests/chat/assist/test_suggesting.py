"""Suggestions: three different templates, on the conversation's replica, behind customers, and what became of them."""

import asyncio
from typing import Any

import pytest

from tests.chat.assist.conftest import SLOTS, Help
from tests.chat.turns.test_answering import script
from tests.scripted_engine import Fault, Script

pytestmark = pytest.mark.asyncio(loop_scope="module")

THREE = ("order_late", "cancel_order", "delivery_period")


def templates_of(schema: dict[str, Any]) -> set[str]:
    """The templates that a schema admits."""
    return {
        name
        for branch in schema["anyOf"]
        for name in branch["properties"]["template"].get("enum", [branch["properties"]["template"].get("const")])
    }


async def test_three_suggestions_come_from_three_templates(help_desk: Help) -> None:
    one = await help_desk.taken()
    found = await help_desk.suggested(one, *THREE)
    assert [each["template"] for each in found] == list(THREE)
    assert all(set(each) == {"id", "text", "template", "slots", "base_seq"} for each in found)
    assert found[1]["slots"] == {"order_id": {"value": "10234", "source": "copied"}}
    assert "10234" in found[1]["text"]
    allowed = [templates_of(call.body["structured_outputs"]["json"]) for call in help_desk.engine.calls[1:]]
    assert set(THREE) <= allowed[0]
    assert allowed[1] == allowed[0] - {"order_late"}
    assert allowed[2] == allowed[1] - {"cancel_order"}


async def test_engine_reads_what_it_has_in_its_cache_and_customers_go_first(help_desk: Help) -> None:
    one = await help_desk.taken()
    await help_desk.call(f"/agent{one.path}/messages", {"text": "Hello, I'm Kim."})
    await help_desk.suggested(one, *THREE)
    asked, *suggesting = [call.body for call in help_desk.engine.calls]
    for body in suggesting:
        assert body["messages"] == asked["messages"]
        assert body["cache_salt"] == asked["cache_salt"]
        assert body["priority"] > asked["priority"] == 0


async def test_nobody_is_suggested_to_call_the_human_who_is_there(help_desk: Help) -> None:
    one = await help_desk.taken()
    await help_desk.suggested(one, "order_late")
    admitted = templates_of(help_desk.engine.calls[1].body["structured_outputs"]["json"])
    assert not admitted & {"handoff", "contact_human_agent"}


async def test_recalled_template_is_not_suggested(help_desk: Help) -> None:
    one = await help_desk.taken()
    async with help_desk.api.services.store.begin() as repo:
        await repo.packs.recall("demo-shop", "cancel_order")
    await help_desk.api.services.packs._look()
    await help_desk.suggested(one, "order_late")
    assert "cancel_order" not in templates_of(help_desk.engine.calls[1].body["structured_outputs"]["json"])


async def test_template_that_cannot_be_filled_is_passed_over(help_desk: Help) -> None:
    one = await help_desk.taken()
    help_desk.engine.enqueue(
        script("cancel_order", {"order_id": "99999"}),
        *(script(each, SLOTS[each]) for each in THREE if each != "cancel_order"),
    )
    found = (await help_desk.call(f"/agent{one.path}/suggestions")).json()["data"]
    assert [each["template"] for each in found] == ["order_late", "delivery_period"]


async def test_what_was_found_is_shown_when_the_replica_fails(help_desk: Help) -> None:
    one = await help_desk.taken()
    help_desk.engine.enqueue(script("order_late", SLOTS["order_late"]), Script(fault=Fault.BUSY))
    found = (await help_desk.call(f"/agent{one.path}/suggestions")).json()["data"]
    assert [each["template"] for each in found] == ["order_late"]
    help_desk.engine.enqueue(Script(fault=Fault.BUSY))
    answer = await help_desk.call(f"/agent{one.path}/suggestions")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_replica")


async def test_where_the_customer_has_said_nothing_there_is_nothing_to_suggest(help_desk: Help) -> None:
    one = await help_desk.api.open()
    answer = await help_desk.call(f"/agent{one.path}/suggestions")
    assert (answer.status_code, answer.json()["data"]) == (200, [])
    assert help_desk.engine.calls == []


async def test_suggesting_sends_nothing(help_desk: Help) -> None:
    one = await help_desk.taken()
    before = await help_desk.desk.lines(one)
    await help_desk.suggested(one, *THREE)
    assert await help_desk.desk.lines(one) == before


@pytest.mark.parametrize(
    ("written", "outcome"), [("{}", "accepted"), ("  {}\n", "accepted"), ("{} Best, Kim", "edited"), (None, "rejected")]
)
async def test_what_became_of_a_suggestion_is_kept_by_template(
    help_desk: Help, written: str | None, outcome: str
) -> None:
    one = await help_desk.taken()
    first, _, _ = await help_desk.suggested(one, *THREE)
    sent = {"text": "Something of my own."}
    if written is not None:
        sent = {"text": written.format(first["text"]), "suggestion": first["id"]}
    answer = await help_desk.call(f"/agent{one.path}/messages", sent)
    assert (answer.status_code, answer.json()["content"]) == (200, sent["text"].strip())
    seen = await help_desk.outcomes()
    assert seen["order_late"] | {outcome: 1, "shown": 1, "open": 0} == seen["order_late"]
    assert [seen[each]["rejected"] for each in THREE[1:]] == [1, 1]
    assert await help_desk.metric(outcome, "order_late") == 1
    assert await help_desk.metric("shown", "order_late") == 1


async def test_draft_that_the_conversation_has_overtaken_is_not_sent(help_desk: Help) -> None:
    one = await help_desk.taken()
    first, *_ = await help_desk.suggested(one, *THREE)
    await help_desk.desk.say(one, "Wait, I found it.", "t2")
    answer = await help_desk.call(f"/agent{one.path}/messages", {"text": first["text"], "suggestion": first["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "suggestion_overtaken")
    assert all(line["role"] != "agent" for line in await help_desk.desk.lines(one))
    await help_desk.call(f"/agent{one.path}/messages", {"text": "Good!"})
    assert [row["withdrawn"] for row in (await help_desk.outcomes()).values()] == [1, 1, 1]


async def test_suggestions_that_come_too_late_are_not_shown(help_desk: Help) -> None:
    one = await help_desk.taken()
    help_desk.engine.enqueue(*(script(each, SLOTS[each], first_delay_s=0.2) for each in THREE))
    asking = asyncio.create_task(help_desk.call(f"/agent{one.path}/suggestions"))
    await asyncio.sleep(0.1)
    await help_desk.desk.say(one, "Wait, I found it.", "t2")
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (409, "suggestion_overtaken")
    assert await help_desk.outcomes() == {}


async def test_suggestion_is_used_once_and_in_its_conversation(help_desk: Help) -> None:
    one, two = await help_desk.taken(), await help_desk.taken()
    first, *_ = await help_desk.suggested(one, *THREE)
    sent = {"text": first["text"], "suggestion": first["id"]}
    assert (await help_desk.call(f"/agent{two.path}/messages", sent)).status_code == 404
    assert (await help_desk.call(f"/agent{one.path}/messages", sent)).status_code == 200
    again = await help_desk.call(f"/agent{one.path}/messages", sent)
    assert again.status_code == 409
    assert (
        await help_desk.call(f"/agent{one.path}/messages", {"text": "x", "suggestion": "sug_none"})
    ).status_code == 404


async def test_rejected_suggestion_is_counted_once(help_desk: Help) -> None:
    one = await help_desk.taken()
    first, *_ = await help_desk.suggested(one, *THREE)
    for _ in range(2):
        answer = await help_desk.call(f"/agent/suggestions/{first['id']}/outcome", {})
        assert answer.json() == {"id": first["id"], "outcome": "rejected"}
    assert await help_desk.metric("rejected", "order_late") == 1
    other = await help_desk.api.call(
        "POST", f"/agent/suggestions/{first['id']}/outcome", help_desk.api.keys["other agent"], {}
    )
    assert other.status_code == 404


async def test_summary_says_what_is_certain_where_the_engine_says_nothing_sound(help_desk: Help) -> None:
    one = await help_desk.taken()
    await help_desk.call(f"/agent{one.path}/messages", {"text": "I'll ask the carrier today."})
    help_desk.engine.enqueue(
        Script(['{"facts":["The moon is made of cheese 777"],', '"open_demands":[],"promises_made":[]}'])
    )
    told = (await help_desk.call(f"/agent{one.path}/summary")).json()
    assert told["demand"] == "Wants help."
    assert told["by_engine"] is False
    assert any("10234" in fact for fact in told["facts"])
    assert any("should reach you by" in promise for promise in told["promises"])
    assert "I'll ask the carrier today." in told["promises"]
    assert "cheese" not in str(told)


async def test_summary_takes_what_the_conversation_bears_out(help_desk: Help) -> None:
    one = await help_desk.taken()
    summed = '{"facts":["order 10234"],"open_demands":["where the order is"],"promises_made":[]}'
    help_desk.engine.enqueue(Script([summed]))
    told = (await help_desk.call(f"/agent{one.path}/summary")).json()
    assert (told["by_engine"], told["open_questions"]) == (True, ["where the order is"])
    assert help_desk.engine.calls[-1].body["priority"] > 0
