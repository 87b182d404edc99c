"""Server processes and replicas are killed in mid-reply, for real: nothing acknowledged is lost or doubled."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import httpx
import pytest

from benchmarks.client import Customer
from tests.processes import free_port
from tests.replicas import ReplicaProcess, start_replicas
from tests.system import System, start_system

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

QUESTION = "where is my order 10234?"


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ReplicaProcess]]:
    """Two replicas of these tests' own, because they are frozen and killed."""
    with ExitStack() as stack:
        yield start_replicas(stack, tmp_path_factory.mktemp("pair"), free_port())


@contextmanager
def serving(pair: list[ReplicaProcess], folder: pytest.TempPathFactory) -> Iterator[System]:
    with ExitStack() as stack:
        urls = [replica.url for replica in pair]
        yield start_system(stack, urls, folder.mktemp("web"), pair[0].otlp_port)


@asynccontextmanager
async def browser(system: System) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=system.url, timeout=60) as http:
        yield http


def freeze(replica: ReplicaProcess) -> None:
    os.killpg(replica.pid, signal.SIGSTOP)


def thaw(replica: ReplicaProcess) -> None:
    os.killpg(replica.pid, signal.SIGCONT)


async def post(customer: Customer, text: str, turn: str) -> str:
    """Post a turn without waiting for its reply; its id."""
    body = {"text": text, "client_turn_id": turn}
    answer = await customer.http.post(f"{customer.path}/turns", json=body, headers=customer.headers)
    return answer.raise_for_status().json()["turn_id"]


async def transcript(customer: Customer) -> list[tuple[str, str]]:
    answer = await customer.http.get(f"{customer.path}/messages", headers=customer.headers)
    return [(line["role"], line["turn_id"]) for line in answer.raise_for_status().json()["data"]]


async def told(system: System, customer: Customer) -> list[dict[str, object]]:
    """The agent's view of the assistant's messages."""
    path = f"/api/v1/agent/conversations/{customer.conversation_id}"
    answer = await customer.http.get(path, headers={"Authorization": f"Bearer {system.keys.agent}"})
    return [line for line in answer.raise_for_status().json()["messages"] if line["role"] == "assistant"]


async def home_of(system: System, customer: Customer, pair: list[ReplicaProcess]) -> tuple[ReplicaProcess, str]:
    """The replica that the conversation is pinned to, and its id."""
    replica_id = str((await told(system, customer))[-1]["replica"])
    url = (await replicas(system, customer))[replica_id]["url"]
    return next(replica for replica in pair if replica.url == url), replica_id


async def replicas(system: System, customer: Customer) -> dict[str, dict[str, object]]:
    rows = await customer.http.get("/api/v1/replicas", headers={"Authorization": f"Bearer {system.keys.operator}"})
    return {row["id"]: row for row in rows.raise_for_status().json()["data"]}


async def holding(system: System, customer: Customer, replica_id: str, turns: int) -> None:
    """Until the replica holds so many turns: none before it is frozen, so that what it holds then is in mid-reply."""
    async with asyncio.timeout(10):
        while (await replicas(system, customer))[replica_id]["inflight"] != turns:
            await asyncio.sleep(0.02)


async def ended(customer: Customer, turns: set[str]) -> list[tuple[str, dict[str, object]]]:
    """The whole log of the conversation, read from its beginning, once these turns have ended."""
    customer.seen, log, waiting = 0, [], set(turns)
    async with asyncio.timeout(90):
        async for kind, data in customer.events():
            log.append((kind, data))
            if kind in ("reply.done", "turn.failed", "turn.stopped"):
                waiting.discard(data["turn_id"])
            if not waiting:
                return log
    raise AssertionError("the stream ended before the turns did")


async def test_web_and_a_replica_die_in_mid_reply(
    pair: list[ReplicaProcess], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(pair, tmp_path_factory) as system:
        await _web_dies(system, pair)
        await _a_replica_dies(system, pair)


async def _web_dies(system: System, pair: list[ReplicaProcess]) -> None:
    """Both of a customer's turns, the one being answered and the one that waits, outlive a SIGKILL of `web`."""
    async with browser(system) as http:
        customer = await Customer.open(http)
        first = (await customer.ask("hello")).turn_id
        home, home_id = await home_of(system, customer, pair)
        await holding(system, customer, home_id, 0)
        asked = [await post(customer, QUESTION, "t2")]
        freeze(home)
        asked.append(await post(customer, "thanks", "t3"))
        await holding(system, customer, home_id, 1)
        system.kill_web()
        thaw(home)
    system.restart_web()
    async with browser(system) as http:
        customer.http = http
        assert await post(customer, QUESTION, "t2") == asked[0], "a replay after the crash finds the same turn"
        log = await ended(customer, {first, *asked})
        assert [data["turn_id"] for kind, data in log if kind == "reply.done"] == [first, *asked]
        lines = await transcript(customer)
        assert sorted(lines) == sorted((role, turn) for turn in (first, *asked) for role in ("customer", "assistant"))
        assert [turn for role, turn in lines if role == "customer"] == [first, *asked]
        assert (await told(system, customer))[1]["placement"] == "pinned"


async def _a_replica_dies(system: System, pair: list[ReplicaProcess]) -> None:
    """The turn that its replica left in the middle gets one clean reply from the other, and the pin goes there."""
    async with browser(system) as http:
        customer = await Customer.open(http)
        await customer.ask("hello")
        home, home_id = await home_of(system, customer, pair)
        await holding(system, customer, home_id, 0)
        turn_id = await post(customer, QUESTION, "t2")
        freeze(home)
        await holding(system, customer, home_id, 1)
        home.kill()
        log = await ended(customer, {turn_id})
        ours = [(kind, data) for kind, data in log if data.get("turn_id") == turn_id]
        assert [kind for kind, _ in ours if kind != "reply.delta"] == ["turn.started", "reply.done"]
        moved = (await told(system, customer))[-1]
        assert (moved["placement"], moved["attempts"]) == ("failover", 2)
        assert moved["replica"] != home_id
        await customer.ask("thanks")
        stayed = (await told(system, customer))[-1]
        assert (stayed["placement"], stayed["replica"]) == ("pinned", moved["replica"])
        assert "10234" in str(ours[-1][1]["message"])
