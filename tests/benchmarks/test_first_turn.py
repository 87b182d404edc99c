"""What the benchmark of first turns asks for, against a scripted replica."""

import asyncio
import json

import httpx
import pytest

from benchmarks import first_turn
from prompts import load_pack
from prompts.check import PACKS
from tests.benchmarks.replica import Replica


@pytest.mark.parametrize(("state", "is_salted"), [("cold", False), ("warm", True)])
async def test_a_first_turn_meets_what_its_state_says_and_nothing_else(state: str, is_salted: bool) -> None:
    replica = Replica()
    async with httpx.AsyncClient(transport=httpx.MockTransport(replica)) as http:
        first = first_turn.FirstTurns(http, "http://a:1", "pindesk", load_pack(PACKS / "demo-shop"))
        for _ in range(2):
            await first.run(state, "where is my order 10234?")
    *before, turn = replica.bodies
    assert turn["messages"][1]["content"] == "where is my order 10234?"
    assert (turn["cache_salt"] in {body["cache_salt"] for body in before}) == is_salted
    assert turn["structured_outputs"] not in [body["structured_outputs"] for body in before]
    assert "10234" in json.dumps(turn["structured_outputs"])


async def test_every_state_is_measured_on_every_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    replica, client = Replica(), httpx.AsyncClient
    monkeypatch.setattr(
        first_turn.httpx, "AsyncClient", lambda **options: client(transport=httpx.MockTransport(replica), **options)
    )
    async with asyncio.timeout(60):
        results = await first_turn.measure(["http://a:1", "http://b:2"], rounds=2)
    assert [row["turns"] for row in results["rows"].values()] == [4] * 3
    assert results["rows"]["warm"]["cached_share"] == 0.96
    assert "warm-up itself" in first_turn.report(results["rows"])
