"""What a client sees when a replica fails, and what a replica sees when a client goes away."""

import asyncio
import json
import secrets

import openai
import pytest

from tests.chat.inference.conftest import HELLO, PIECES, Shop
from tests.scripted_engine import MODEL, Fault, Script

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEFORE_OUTPUT = [
    Script(fault=Fault.BUSY),
    Script(fault=Fault.CRASHED),
    Script(fault=Fault.SILENT),
    Script([""], Fault.TRUNCATE),
    Script([""], Fault.ABORT),
    Script([""], Fault.ERROR),
    Script([""], Fault.HANG),
]
BROKEN = [Fault.TRUNCATE, Fault.END, Fault.ABORT, Fault.ERROR, Fault.GARBAGE, Fault.HANG]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("failing", BEFORE_OUTPUT, ids=lambda script: str(script.fault))
async def test_a_failure_before_the_first_token_is_not_seen(failing: Script, stream: bool, shop: Shop) -> None:
    name, spare = {"X-Session-Id": secrets.token_hex(8)}, Script(PIECES)
    shop.always(spare)
    home = (await shop.post(headers=name)).headers["x-replica"]
    shop.engines[home].enqueue(failing)
    answer = await shop.post(headers=name, stream=stream)
    assert answer.status_code == 200
    assert answer.headers["x-replica"] != home
    assert "w\\u00f6rld" in answer.text or "wörld" in answer.text
    # The session lives where it was answered.
    assert (await shop.post(headers=name)).headers["x-replica"] == answer.headers["x-replica"]


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_stream_that_breaks_never_passes_for_a_reply(fault: Fault, shop: Shop) -> None:
    shop.everywhere(Script(PIECES, fault))
    answer = await shop.post(stream=True)
    *events, last = [json.loads(line[6:]) for line in answer.text.split("\n") if line]
    assert last["error"]["type"] == "server_error" and last["error"]["message"]
    assert all(choice["finish_reason"] is None for event in events for choice in event["choices"])
    assert "[DONE]" not in answer.text
    assert len(shop.calls) == 1


async def test_openais_client_raises_on_a_broken_stream(shop: Shop) -> None:
    shop.everywhere(Script(PIECES, Fault.TRUNCATE))
    stream, read = await shop.client().chat.completions.create(model=MODEL, messages=HELLO, stream=True), []
    with pytest.raises(openai.APIError):
        [read.append(chunk.choices[0].delta.content) async for chunk in stream]
    assert read == PIECES


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_reply_is_no_whole_reply(fault: Fault, shop: Shop) -> None:
    shop.everywhere(Script(PIECES, fault))
    with pytest.raises(openai.InternalServerError) as failed:
        await shop.client().chat.completions.create(model=MODEL, messages=HELLO)
    assert failed.value.status_code == 502


async def test_when_every_replica_is_full_the_client_is_told_when_to_come_back(shop: Shop) -> None:
    shop.always(Script(fault=Fault.BUSY))
    with pytest.raises(openai.RateLimitError) as refused:
        await shop.client().chat.completions.create(model=MODEL, messages=HELLO)
    assert int(refused.value.response.headers["retry-after"]) >= 1
    assert [len(engine.calls) for engine in shop.engines.values()] == [1, 1]


async def test_beyond_the_line_the_client_is_told_when_to_come_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.api.services.replicas.admission, "longest_wait_s", 0.0)
    shop.always(Script(PIECES, first_delay_s=0.1))
    answers = await asyncio.gather(*(shop.post(stream=True) for _ in range(40)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 0 < len(refused) < 40
    assert {answer.json()["error"]["type"] for answer in refused} == {"rate_limit_error"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert all("[DONE]" in answer.text for answer in answers if answer.status_code == 200)


async def test_when_every_replica_fails_each_was_asked_once(shop: Shop) -> None:
    shop.always(Script(fault=Fault.CRASHED))
    with pytest.raises(openai.InternalServerError) as failed:
        await shop.client().chat.completions.create(model=MODEL, messages=HELLO)
    assert failed.value.code == "engine_failed"
    assert [len(engine.calls) for engine in shop.engines.values()] == [1, 1]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "script", [Script(["a"] * 100, delay_s=0.05), Script(fault=Fault.SILENT)], ids=["mid", "before"]
)
async def test_a_client_that_hangs_up_ends_the_generation(
    script: Script, stream: bool, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.everywhere(script)
    before = shop.metric("inference_requests_total", outcome="stopped")
    asking = asyncio.create_task(shop.post(stream=stream))
    async with asyncio.timeout(10):
        while not shop.calls:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.15)
        asking.cancel()
        await shop.calls[0].aborted.wait()
        while shop.metric("inference_requests_total", outcome="stopped") == before:
            await asyncio.sleep(0.01)
    assert all(each.inflight == 0 for each in shop.api.services.replicas.snapshot())
    assert len(shop.calls) == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"], "hanging up is no fault"


async def test_each_attempt_has_its_own_span(shop: Shop) -> None:
    name = {"X-Session-Id": secrets.token_hex(8)}
    shop.always(Script(PIECES))
    home = (await shop.post(headers=name)).headers["x-replica"]
    shop.engines[home].enqueue(Script(fault=Fault.CRASHED))
    trace_id = (await shop.post(headers=name)).headers["x-request-id"]
    spans = await shop.spans(trace_id)
    attempts = sorted((span.attributes for span in spans), key=lambda each: each["pindesk.attempt.number"])
    assert [each["pindesk.attempt.outcome"] for each in attempts] == ["failed", "finished"]
    assert attempts[0]["error.type"] == "engine_aborted"
    assert [each["pindesk.placement.reason"] for each in attempts] == ["pinned", "failover"]
