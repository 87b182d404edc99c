"""Suggestions by the real engine: three templates, on the replica that has the conversation, from its cache."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.system import System

pytestmark = pytest.mark.engine


@pytest.fixture
async def client(system: System) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{system.url}/api/v1/", timeout=60, trust_env=False) as client:
        yield client


async def prompt_tokens(url: str) -> tuple[float, float]:
    """What a replica has read so far, and how much of it from its cache."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{url}/metrics")).text
    counts = [re.search(rf"^vllm:prefix_cache_{what}_total\S* (\S+)$", text, re.M) for what in ("queries", "hits")]
    return tuple(float(count[1]) if count else 0.0 for count in counts)


async def replied(client: httpx.AsyncClient, system: System, text: str) -> tuple[str, str]:
    """A conversation in which the bot has answered: its id and the replica's URL."""
    one = (await client.post("conversations", json={"site": "demo"})).json()
    sent = {"text": text, "client_turn_id": "t1"}
    as_customer = {"Authorization": f"Bearer {one['token']}"}
    await client.post(f"conversations/{one['id']}/turns", json=sent, headers=as_customer)
    async with asyncio.timeout(30):
        while True:
            view = (await client.get(f"agent/conversations/{one['id']}", headers=agent(system))).json()
            made = next((line for line in view["messages"] if line["role"] == "assistant"), None)
            if made and made["usage"]["prompt_tokens"]:
                break
            await asyncio.sleep(0.1)
    listed = (await client.get("replicas", headers={"Authorization": f"Bearer {system.keys.operator}"})).json()["data"]
    return one["id"], next(each["url"] for each in listed if each["id"] == made["replica"])


def agent(system: System) -> dict[str, str]:
    return {"Authorization": f"Bearer {system.keys.agent}"}


@pytest.mark.parametrize("text", ["Where is my order 10234?", "I want my money back for order 10240"])
async def test_three_templates_come_from_the_cache_of_the_pinned_replica(
    client: httpx.AsyncClient, system: System, text: str
) -> None:
    conversation, home = await replied(client, system, text)
    await client.post(f"agent/conversations/{conversation}/takeover", headers=agent(system))
    before = {url: await prompt_tokens(url) for url in system.replica_urls}
    answer = await client.post(f"agent/conversations/{conversation}/suggestions", headers=agent(system))
    assert answer.status_code == 200, answer.text
    found = answer.json()["data"]
    assert len({each["template"] for each in found}) == len(found) == 3
    assert all(each["text"] for each in found)
    read = {url: await prompt_tokens(url) for url in system.replica_urls}
    asked, hits = (now - then for now, then in zip(read[home], before[home], strict=True))
    assert asked > 1000
    assert hits / asked > 0.9
    assert [read[url][0] - before[url][0] for url in system.replica_urls if url != home] == [0.0]


async def test_summary_and_foreign_transcript_are_answered(client: httpx.AsyncClient, system: System) -> None:
    conversation, _ = await replied(client, system, "Where is my order 10234?")
    told = (await client.post(f"agent/conversations/{conversation}/summary", headers=agent(system))).json()
    assert told["demand"] and any("10234" in fact for fact in told["facts"])
    transcript = [{"role": "customer", "text": "Hello"}, {"role": "customer", "text": "Can I cancel order 10235?"}]
    asked = {"site": "demo", "conversation": "4711", "transcript": transcript}
    helped = (await client.post("assist", json=asked, headers=agent(system))).json()
    assert len({each["template"] for each in helped["data"]}) == 3
