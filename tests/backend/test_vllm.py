"""What `engine.py` takes for granted about vLLM, asked of the real one."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing

import jsonschema
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from backend.engine import Attempt, Engine, Text, Usage
from backend.errors import BadRequest
from backend.placement import ReplicaState
from backend.probe import Probe
from backend.replica import BLOCK_TOKENS
from backend.replicas import Replicas
from tests.backend.conftest import until

pytestmark = pytest.mark.engine

LONG = [
    {"role": "system", "content": "You answer customers of a shop. " * 40},
    {"role": "user", "content": "Where is my order 10234?"},
]


def branch(action: str, template: str, *slots: str) -> dict:
    text_or_null = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    properties = {
        "action": {"const": action},
        "template": {"const": template},
        "slots": {
            "type": "object",
            "properties": dict.fromkeys(slots, text_or_null),
            "required": list(slots),
            "additionalProperties": False,
        },
        "sentiment": {"enum": ["positive", "negative"]},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


# No model writes these words by itself: where they appear, the grammar has decided.
SCHEMA = {"anyOf": [branch("zxqv", "wkkj"), branch("qqzx", "vvbn", "ffgh")]}


@pytest.fixture
async def replicas(engine_urls: list[str]) -> AsyncIterator[Replicas]:
    async with Replicas(engine_urls) as replicas:
        await until(lambda: all(each.state is ReplicaState.READY for each in replicas.snapshot()), within_s=60)
        yield replicas


@pytest.fixture
async def engine(replicas: Replicas) -> AsyncIterator[Engine]:
    engine = Engine(replicas)
    await engine.prefill("r0", LONG[1:], SCHEMA)
    yield engine
    await engine.close()


async def read(engine: Engine, attempt: Attempt) -> tuple[str, Usage]:
    pieces = [piece async for piece in engine.stream(attempt)]
    assert isinstance(pieces[-1], Usage)
    return "".join(piece.text for piece in pieces if isinstance(piece, Text)), pieces[-1]


async def test_the_schema_constrains_every_token(engine: Engine) -> None:
    text, usage = await read(engine, Attempt("r0", LONG, SCHEMA, max_tokens=400))
    assert text.startswith(('{"action":"zxqv","template":"wkkj",', '{"action":"qqzx","template":"vvbn","slots":{'))
    if usage.finish_reason == "stop":
        jsonschema.validate(json.loads(text), SCHEMA)


async def test_output_that_is_cut_says_so(engine: Engine) -> None:
    text, usage = await read(engine, Attempt("r0", LONG, SCHEMA, max_tokens=3))
    assert (usage.finish_reason, usage.completion_tokens) == ("length", 3)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(text)


async def test_a_prefix_is_cached_for_its_own_salt_only(engine: Engine) -> None:
    salt, other = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    cached = []
    for used in (salt, salt, other):
        _, usage = await read(engine, Attempt("r0", LONG, SCHEMA, 5, used))
        cached.append(usage.cached_tokens)
    whole_blocks = (usage.prompt_tokens - 1) // BLOCK_TOKENS * BLOCK_TOKENS
    assert cached == [0, whole_blocks, 0]
    assert whole_blocks > 0


async def test_a_prefill_pays_at_the_next_turn(engine: Engine) -> None:
    salt = secrets.token_urlsafe(32)
    await engine.prefill("r0", LONG, SCHEMA, salt, priority=10)
    _, usage = await read(engine, Attempt("r0", LONG, SCHEMA, 5, salt, priority=-1))
    assert usage.cached_tokens >= usage.prompt_tokens - BLOCK_TOKENS


async def test_one_replicas_cache_is_not_the_others(engine: Engine, engine_urls: list[str]) -> None:
    if len(engine_urls) < 2:
        pytest.skip("engine: one replica only")
    salt = secrets.token_urlsafe(32)
    await engine.prefill("r0", LONG, SCHEMA, salt)
    _, usage = await read(engine, Attempt("r1", LONG, SCHEMA, 5, salt))
    assert usage.cached_tokens == 0


async def test_a_boot_is_known_by_its_start(replicas: Replicas, engine_urls: list[str]) -> None:
    probe = Probe()
    vitals = await probe.vitals(engine_urls[0])
    await probe.close()
    assert float(vitals.boot_id) > 1.7e9
    assert replicas.snapshot()[0].boot_id == vitals.boot_id


async def test_hanging_up_stops_the_decoding(engine: Engine, engine_urls: list[str]) -> None:
    probe = Probe()
    attempt = Attempt("r0", LONG, max_tokens=2500, extra={"ignore_eos": True})
    async with aclosing(engine.stream(attempt)) as stream:
        await anext(stream)
        await _until_running(probe, engine_urls[0], 1)
    await _until_running(probe, engine_urls[0], 0)
    await probe.close()


async def test_a_prompt_beyond_the_context_is_refused_and_not_repeated(engine: Engine, replicas: Replicas) -> None:
    endless = [{"role": "user", "content": "order " * 20_000}]
    with pytest.raises(BadRequest) as refused:
        await read(engine, Attempt("r0", endless))
    assert not refused.value.retryable


async def test_a_longer_conversation_begins_with_the_shorter(engine: Engine) -> None:
    answered = [*LONG, {"role": "assistant", "content": '{"action":"reply"}'}, {"role": "user", "content": "thanks"}]
    shorter, longer = await engine.tokenize("r0", LONG), await engine.tokenize("r0", answered)
    assert longer[: len(shorter)] == shorter


async def test_the_engines_span_hangs_under_the_attempt(engine: Engine, otlp_port: int) -> None:
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    async with aclosing(_spans(otlp_port)) as spans:
        arriving = asyncio.ensure_future(_find(spans, trace_id))
        await asyncio.sleep(0.05)
        await read(engine, Attempt("r0", LONG, SCHEMA, 5, traceparent=f"00-{trace_id}-{span_id}-01"))
        span = await asyncio.wait_for(arriving, 10)
    assert (span.name, span.parent_span_id.hex()) == ("llm_request", span_id)


async def _until_running(probe: Probe, url: str, count: int) -> None:
    async with asyncio.timeout(5):
        while (await probe.vitals(url)).running != count:  # it is another process
            await asyncio.sleep(0.02)


async def _find(spans: AsyncIterator[Span], trace_id: str) -> Span:
    return await anext(span async for span in spans if span.trace_id.hex() == trace_id)


async def _spans(port: int) -> AsyncIterator[Span]:
    """What the replicas export while somebody listens on their port."""
    arrived: asyncio.Queue[Span] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        exported = ExportTraceServiceRequest.FromString(await request.read())
        for scope in (scope for resource in exported.resource_spans for scope in resource.scope_spans):
            for span in scope.spans:
                arrived.put_nowait(span)
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/v1/traces", receive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        while True:
            yield await arrived.get()
    finally:
        await runner.cleanup()
