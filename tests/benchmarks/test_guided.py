"""The benchmark's own reckoning, and one run of it against a scripted replica."""

import asyncio
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator

from benchmarks import arms, guided
from benchmarks.decoding import Decoded, cpu_seconds
from prompts import compact, load_pack, reply_schema
from prompts.check import PACKS
from tests.benchmarks.replica import REPLY, Replica


def test_the_moments_of_a_guided_reply() -> None:
    raw = compact(REPLY)
    first, whole = (
        min(end for end in range(len(raw) + 1) if arms.GUIDED[name](raw[:end])) for name in ("first_text", "reply")
    )
    assert raw[:first].endswith('"template":"thanks"')
    assert raw[:whole].endswith('"slots":{}')


def test_template_first_moves_nothing_else() -> None:
    schema = reply_schema(load_pack(PACKS / "demo-shop"))
    moved = guided.template_first(schema)
    assert list(moved["anyOf"][0]["properties"])[:3] == ["template", "action", "slots"]
    assert Draft202012Validator(moved).is_valid(REPLY)
    assert [set(branch["properties"]) for branch in moved["anyOf"]] == [set(b["properties"]) for b in schema["anyOf"]]


@pytest.mark.parametrize("words", guided.WORDS)
def test_free_text_is_as_long_as_approved_text(words: int) -> None:
    text = guided.approved_text(load_pack(PACKS / "demo-shop"), words)
    assert len(text.split()) == words
    assert "{" not in text


def test_figures_are_medians_and_rates() -> None:
    replies = [Decoded(10, 5, 50, {"first_text": (20, 4), "reply": (40, 8)})] * 3
    told = arms.figures(arms.Run(tuple(replies), wall_s=2, cpu_s=0.3))
    assert (told["first_text_ms"], told["first_text_tokens"], told["reply_ms"]) == (20, 4, 40)
    assert (told["replies_per_s"], told["tokens_per_s"], told["cpu_ms_per_token"]) == (1.5, 15, 10)


def test_ratios_are_taken_round_by_round() -> None:
    def run(tokens: int, first_ms: float) -> arms.Run:
        return arms.Run((Decoded(tokens, first_ms, 50),), wall_s=1, cpu_s=None)

    told = arms.ratios([run(9, 10), run(8, 12), run(30, 30)], [run(10, 10), run(10, 10), run(30, 10)])
    assert told["tokens_per_s"] == {"median": 0.9, "low": 0.8, "high": 1.0}
    assert told["first_token"] == {"median": 1.2, "low": 1.0, "high": 3.0}


def test_replicas_elsewhere_have_no_cpu_time_here() -> None:
    assert cpu_seconds(["http://10.0.0.1:8000"]) is None


async def test_a_run_gives_every_arm_the_same_prompts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    replica, client = Replica(), httpx.AsyncClient
    monkeypatch.setattr(guided, "BRANDS", 3)
    monkeypatch.setattr(
        guided.httpx, "AsyncClient", lambda **options: client(transport=httpx.MockTransport(replica), **options)
    )
    async with asyncio.timeout(60):
        results = await guided.measure({"xgrammar": ["http://a:1", "http://b:2"]}, count=4, rounds=2)

    rows = results["xgrammar"]["arms"]["8"]
    assert set(rows) == {"guided", "template first", "free 20", "free 60", "free 120"}
    price = results["xgrammar"]["price"]["8"]
    assert price["unguided"]["tokens"] == price["guided"]["tokens"]
    assert price["unguided"]["replies"] == price["guided"]["replies"] == 2 * 4
    assert rows["free 60"]["tokens"] == 60
    assert rows["guided"]["first_text_tokens"] == len(compact(REPLY)[: compact(REPLY).index(',"slots"')]) // 5 + 1
    titles = {
        body["structured_outputs"]["json"].get("title") for body in replica.bodies if "structured_outputs" in body
    }
    assert len(titles) == 1 + 3
    values = results["xgrammar"]["values"]["8"]
    assert {name: row["replies"] for name, row in values.items() if name != "ratios"} == dict.fromkeys(
        ["own words", "free"], 2 * 4
    )
    assert "guided / free of 60 words: whole reply" in capsys.readouterr().out
