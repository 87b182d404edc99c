"""Event streams over a real server: what is sent, how a client resumes, when a stream ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import fastapi.routing
import httpx
import pytest
import pytest_asyncio

from tests.chat.conftest import API, Api, Opened, listening, make_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Seen:
    kind: str
    id: str | None
    data: dict[str, Any]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with listening(make_settings(tmp_path_factory.mktemp("var"))) as (api, _):
        yield api


@asynccontextmanager
async def stream(api: Api, path: str, credential: str, **headers: str) -> AsyncIterator[httpx.Response]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.client.stream(
        "GET", API + path, headers={"Authorization": f"Bearer {credential}", **sent}
    ) as answer:
        yield answer


async def blocks(answer: httpx.Response) -> AsyncIterator[list[str]]:
    """The stream's blocks, each the lines between two blank ones."""
    block: list[str] = []
    async for line in answer.aiter_lines():
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


async def events(answer: httpx.Response) -> AsyncIterator[Seen]:
    async for block in blocks(answer):
        fields = dict(line.split(": ", 1) for line in block if not line.startswith(":"))
        if "event" in fields:
            yield Seen(fields["event"], fields.get("id"), json.loads(fields["data"]))


async def first_events(api: Api, one: Opened, count: int, query: str = "", **headers: str) -> list[Seen]:
    async with asyncio.timeout(10), stream(api, f"{one.path}/events{query}", one.token, **headers) as answer:
        seen: list[Seen] = []
        async for event in events(answer):
            seen.append(event)
            if len(seen) == count:
                return seen
    return seen


async def failed_turn(api: Api) -> Opened:
    """A conversation whose log has three events: the turn, its failure (there is no replica), the notice."""
    one = await api.open()
    await api.post(one, "hello")
    await first_events(api, one, 3)
    return one


async def test_stream_has_the_contracts_headers_and_opening(api: Api) -> None:
    one = await api.open()
    async with stream(api, f"{one.path}/events", one.token, Accept_Encoding="gzip, br") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        assert await anext(blocks(answer)) == ["retry: 2000"]


async def test_event_carries_seq_kind_and_payload(api: Api) -> None:
    one = await failed_turn(api)
    started, failed, notice = await first_events(api, one, 3)
    assert [event.id for event in (started, failed, notice)] == ["1", "2", "3"]
    assert started.kind == "turn.started"
    assert set(started.data) == {"turn_id", "client_turn_id", "message"}
    assert started.data["message"]["seq"] == 1
    assert (failed.kind, failed.data["code"]) == ("turn.failed", "no_replica")
    assert notice.data["message"]["role"] == "system"


async def test_client_resumes_by_query_or_by_last_event_id(api: Api) -> None:
    one = await failed_turn(api)
    assert [event.id for event in await first_events(api, one, 2, "?after=1")] == ["2", "3"]
    assert [event.id for event in await first_events(api, one, 1, Last_Event_ID="2")] == ["3"]
    # A client that reconnects repeats the address that it began with: its last event is the newer word.
    assert [event.id for event in await first_events(api, one, 1, "?after=1", Last_Event_ID="2")] == ["3"]


@pytest.mark.parametrize(("query", "last_event_id"), [("?after=x", ""), ("?after=-1", ""), ("", "abc"), ("", "9" * 30)])
async def test_bad_position_is_refused_before_the_stream(api: Api, query: str, last_event_id: str) -> None:
    one = await api.open()
    async with stream(api, f"{one.path}/events{query}", one.token, Last_Event_ID=last_event_id) as answer:
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


async def test_refusals_come_before_the_stream(api: Api) -> None:
    one, two = await api.open(), await api.open()
    for credential, status in (("pdc_nobody", 401), (two.token, 404), (api.keys["operator"], 403)):
        async with stream(api, f"{one.path}/events", credential) as answer:
            assert answer.status_code == status
            assert json.loads(await answer.aread())["trace_id"]


async def test_two_tabs_see_the_same_log(api: Api) -> None:
    one = await failed_turn(api)
    assert await first_events(api, one, 3) == await first_events(api, one, 3)


async def test_idle_stream_is_pinged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.1)
    one = await api.open()
    async with asyncio.timeout(5), stream(api, f"{one.path}/events", one.token) as answer:
        lines = blocks(answer)
        assert await anext(lines) == ["retry: 2000"]
        assert await anext(lines) == [": ping"]


async def test_ping_comes_each_15_seconds() -> None:
    assert fastapi.routing._PING_INTERVAL == 15


async def until_open(api: Api, streams: int) -> None:
    """A server notices that a client is gone a moment later."""
    line = f'pindesk_open_streams{{kind="conversation"}} {streams}.0'
    async with asyncio.timeout(10):
        while line not in (await api.client.get("/metrics")).text:
            await asyncio.sleep(0.05)


async def test_open_streams_are_counted_and_forgotten(api: Api) -> None:
    one = await api.open()
    await until_open(api, 0)
    async with stream(api, f"{one.path}/events", one.token) as answer:
        lines = blocks(answer)  # held: a generator that is dropped closes the stream
        await anext(lines)
        await until_open(api, 1)
    await until_open(api, 0)


async def test_stream_ends_after_its_longest_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.services.streams, "_longest_s", timedelta(milliseconds=200).total_seconds())
    one = await api.open()
    async with asyncio.timeout(5), stream(api, f"{one.path}/events", one.token) as answer:
        assert [event async for event in events(answer)] == []


async def test_stream_of_a_deleted_conversation_ends(api: Api) -> None:
    one = await api.open()
    async with asyncio.timeout(5), stream(api, f"{one.path}/events", one.token) as answer:
        lines = blocks(answer)
        await anext(lines)
        await api.call("DELETE", one.path, one.token)
        assert [line async for line in lines] == []


async def test_staff_sees_notes_and_the_customer_does_not(api: Api) -> None:
    one = await api.open()
    agent = api.keys["agent"]
    await api.call("POST", f"/agent{one.path}/takeover", agent)
    await api.call("POST", f"/agent{one.path}/handback", agent, {"note": "gave a voucher"})
    async with asyncio.timeout(5), stream(api, f"{one.path}/events", agent) as answer:
        kinds = []
        async for event in events(answer):
            kinds.append(event.kind)
            if kinds.count("message") == 2:
                break
    assert kinds == ["handoff", "message", "note", "handoff", "message"]
    seen = await first_events(api, one, 4)
    assert [event.kind for event in seen] == ["handoff", "message", "handoff", "message"]
    assert seen[0].data == {"state": "agent", "agent": "agent"}


async def test_queue_stream_tells_of_the_agents_sites_only(api: Api) -> None:
    async with asyncio.timeout(10), stream(api, "/agent/events", api.keys["other agent"]) as answer:
        lines = events(answer)
        await asyncio.sleep(0.1)
        elsewhere = await api.open("demo")
        await api.call("POST", f"{elsewhere.path}/handoff", elsewhere.token)
        one = await api.open("other")
        seen = await anext(lines)
        assert seen.kind == "conversation"
        assert {"id", "site", "state", "demand", "sentiment", "updated_at"} <= set(seen.data)
        assert (seen.data["id"], seen.data["site"]) == (one.id, "other")
        await api.call("POST", f"{one.path}/handoff", one.token)
        assert (await anext(lines)).data["state"] == "waiting"
        await api.call("DELETE", one.path, one.token)
        gone = await anext(lines)
        assert (gone.kind, gone.data) == ("conversation.deleted", {"id": one.id})


async def test_streams_end_when_the_server_stops(tmp_path: Path) -> None:
    async with listening(make_settings(tmp_path)) as (api, server):
        one = await api.open()
        async with asyncio.timeout(10), stream(api, f"{one.path}/events", one.token) as answer:
            lines = blocks(answer)
            assert await anext(lines) == ["retry: 2000"]
            server.should_exit = True
            assert [line async for line in lines] == []
