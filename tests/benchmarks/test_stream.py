import aiohttp

from benchmarks.stream import complete, request
from tests.scripted_engine import Fault, Script, ScriptedEngine

MESSAGES = [{"role": "user", "content": "hi"}]


async def test_a_reply_is_timed_and_its_usage_read() -> None:
    script = Script(
        ['{"a":', '"b"}'], delay_s=0.2, first_delay_s=0.02, prompt_tokens=40, cached_tokens=32, fingerprint="r1"
    )
    async with ScriptedEngine() as engine, aiohttp.ClientSession() as http:
        engine.enqueue(script)
        reply = await complete(http, engine.url, request(MESSAGES, "pindesk", 2), {"X-Session-Id": "s"})
        call = engine.calls[0]
    assert reply.failure == "" and (reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens) == (40, 32, 2)
    assert 20 <= reply.ttft_ms <= reply.total_ms - 50 and reply.fingerprint == "r1"
    assert call.headers["X-Session-Id"] == "s"
    assert call.body["max_tokens"] == call.body["min_tokens"] == 2 and call.body["ignore_eos"] is True


async def test_every_kind_of_failure_is_told() -> None:
    faults = {Fault.BUSY: "HTTP 503", Fault.TRUNCATE: "ClientPayloadError", Fault.END: "the stream ended without usage"}
    async with ScriptedEngine() as engine, aiohttp.ClientSession() as http:
        for fault, failure in faults.items():
            engine.enqueue(Script(["x"], fault))
            assert (await complete(http, engine.url, request(MESSAGES, "pindesk", 2))).failure == failure
    async with aiohttp.ClientSession() as http:
        assert (await complete(http, engine.url, request(MESSAGES, "pindesk", 2))).failure
