"""What the two arms of the comparison of words send, against a scripted replica."""

import asyncio
import json
import re

import httpx

from benchmarks import narrowed
from benchmarks.arms import Bench
from prompts import load_pack, reply_schema
from prompts.check import PACKS
from prompts.probes import probes
from tests.benchmarks.replica import Replica
from tests.schemas import slots_of

PACK = load_pack(PACKS / "demo-shop")
QUESTIONS = [probe for template in PACK.offered for probe in probes(template)]
COUNT, ROUNDS = 3, 2


async def test_each_arm_sends_what_its_name_says_and_nothing_twice() -> None:
    replica = Replica()
    async with httpx.AsyncClient(transport=httpx.MockTransport(replica)) as http, asyncio.timeout(60):
        results = await narrowed.compare(Bench(http, ["http://a:1"], "pindesk", PACK, QUESTIONS), COUNT, ROUNDS, [1])
    sent = [(body["messages"][1]["content"], body["structured_outputs"]["json"]) for body in replica.bodies]
    assert len({text for text, _ in sent}) == 2 * COUNT * ROUNDS
    for at, (text, schema) in enumerate(sent):
        number = re.search(r"\d+", text)
        assert number
        if at // COUNT % 2:
            assert schema == json.loads(json.dumps(reply_schema(PACK)))
        else:
            assert slots_of(schema)["cancel_order"]["order_id"] == [number[0], None]
            assert f"order is {number[0]}" in slots_of(schema)["review"]["product"]
    assert narrowed.told(results["1"]).startswith("  own words against free: first token")
