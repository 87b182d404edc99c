"""What the arms of the comparison of values send, against a scripted replica."""

import asyncio
import json
import re

import httpx

from benchmarks import narrowed
from benchmarks.arms import Bench
from prompts import load_pack, reply_schema, turn_schema
from prompts.check import PACKS
from prompts.probes import probes
from tests.benchmarks.replica import Replica

PACK = load_pack(PACKS / "demo-shop")
QUESTIONS = [probe for template in PACK.offered for probe in probes(template)]
COUNT, ROUNDS = 3, 2


async def asked() -> tuple[dict[str, object], list[tuple[str, str]]]:
    """The figures, and (message, schema) of each request in its order."""
    replica = Replica()
    async with httpx.AsyncClient(transport=httpx.MockTransport(replica)) as http, asyncio.timeout(60):
        results = await narrowed.compare(Bench(http, ["http://a:1"], "pindesk", PACK, QUESTIONS), COUNT, ROUNDS, [1])
    sent = [(body["messages"][1]["content"], json.dumps(body["structured_outputs"]["json"])) for body in replica.bodies]
    return results["1"], sent


async def test_each_arm_sends_what_its_name_says() -> None:
    _, sent = await asked()
    whole, nothing = json.dumps(reply_schema(PACK)), json.dumps(turn_schema(PACK, ()))
    first_round = [sent[at : at + COUNT] for at in range(0, 5 * COUNT, COUNT)]
    new, same, free, no_value, free_no_value = first_round
    assert [schema for _, schema in new] == [schema for _, schema in same]
    assert len({schema for _, schema in new}) == COUNT
    for text, schema in new:
        number = re.search(r"\d+", text)
        assert number and json.dumps([number[0], None]) in schema
    assert {schema for _, schema in free + free_no_value} == {whole}
    assert {schema for _, schema in no_value} == {nothing}


async def test_no_question_is_asked_twice_and_no_value_is_new_twice() -> None:
    _, sent = await asked()
    assert len({text for text, _ in sent}) == 5 * COUNT * ROUNDS
    per_round = 5 * COUNT
    new = [schema for at in range(ROUNDS) for _, schema in sent[at * per_round : at * per_round + COUNT]]
    assert len(set(new)) == COUNT * ROUNDS


async def test_the_figures_stand_beside_those_without_narrowing() -> None:
    rows, _ = await asked()
    lines = narrowed.told(rows)
    assert [line.split(":")[0].strip() for line in lines] == [
        "new value against free, value",
        "same value against free, value",
        "no value against free, no value",
    ]
