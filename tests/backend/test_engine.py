import asyncio
import json
import time
from contextlib import aclosing, suppress

import pytest

from backend.engine import Attempt, Engine, Piece, Text, Timeouts, Usage, usage_of
from backend.errors import (
    BadRequest,
    ConnectFailed,
    EngineAborted,
    EngineError,
    FirstTokenTimeout,
    Overloaded,
    Stalled,
    StreamBroken,
)
from backend.placement import ReplicaState
from backend.replicas import Replicas
from backend.wire import Wire
from tests.backend.conftest import INTERVAL_S, QUICK, quick_probe, until
from tests.scripted_engine import Fault, Script, ScriptedEngine

HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
PIECES = ['{"action":', ' "', " ", "\n", 'répond✓"}']
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

BROKEN = {
    Fault.BUSY: Overloaded,
    Fault.RATE_LIMITED: Overloaded,
    Fault.CRASHED: EngineAborted,
    Fault.BAD_REQUEST: BadRequest,
    Fault.SILENT: FirstTokenTimeout,
    Fault.HANG: Stalled,
    Fault.TRUNCATE: StreamBroken,
    Fault.END: StreamBroken,
    Fault.ABORT: EngineAborted,
    Fault.ERROR: EngineAborted,
    Fault.GARBAGE: StreamBroken,
}
BEFORE_TEXT = {Fault.BUSY, Fault.RATE_LIMITED, Fault.CRASHED, Fault.BAD_REQUEST, Fault.SILENT}


async def read(engine: Engine, attempt: Attempt | None = None) -> tuple[list[Piece], EngineError | None]:
    """All pieces of an attempt, and the error that ended it."""
    pieces: list[Piece] = []
    try:
        async for piece in engine.stream(attempt or Attempt("r0", HELLO)):
            pieces.append(piece)
    except EngineError as error:
        return pieces, error
    return pieces, None


def state(replicas: Replicas) -> ReplicaState:
    return replicas.snapshot()[0].state


async def test_the_text_arrives_unchanged_and_the_usage_last(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, prompt_tokens=120, cached_tokens=96))
    assert await read(engine) == ([*map(Text, PIECES), Usage("stop", 120, 96, len(PIECES))], None)


async def test_what_the_engine_does_not_report_is_not_made_up(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, Fault.NO_USAGE), Script(PIECES, cached_tokens=None, finish_reason="length"))
    assert (await read(engine))[0][-1] == Usage("stop", None, None, None)
    assert (await read(engine))[0][-1] == Usage("length", 20, None, len(PIECES))


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_stream_never_looks_finished(fault: Fault, scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, fault))
    pieces, error = await read(engine)
    assert type(error) is BROKEN[fault]
    assert pieces == ([] if fault in BEFORE_TEXT else [Text(piece) for piece in PIECES])
    assert len(scripted.calls) == 1, "one attempt is one upstream call"


@pytest.mark.parametrize("fault", [Fault.TRUNCATE, Fault.ERROR])
async def test_what_arrived_before_a_break_is_not_lost(fault: Fault, scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, fault))
    texts = []
    with suppress(EngineError):
        async for piece in engine.stream(Attempt("r0", HELLO)):
            texts.append(piece)
            # Whatever the engine did has happened before the next piece is asked for.
            await asyncio.sleep(0.1)
    assert texts == [Text(piece) for piece in PIECES]


async def test_a_refused_connection_fails_at_once(scripted: ScriptedEngine, engine: Engine, replicas: Replicas) -> None:
    await scripted.stop()
    started = time.monotonic()
    pieces, error = await read(engine)
    assert (pieces, type(error)) == ([], ConnectFailed)
    assert time.monotonic() - started < 0.9, "well before any deadline"
    assert state(replicas) in (ReplicaState.SUSPECT, ReplicaState.DOWN)


async def test_a_connection_that_is_not_answered_ends_at_its_deadline(replicas: Replicas) -> None:
    replicas.add("http://192.0.2.1:8000")  # TEST-NET-1: packets to it go nowhere, or are refused on the spot
    replicas._members["r1"].model = "pindesk"
    engine = Engine(replicas, QUICK)
    started = time.monotonic()
    _, error = await read(engine, Attempt("r1", HELLO))
    assert isinstance(error, ConnectFailed)
    assert time.monotonic() - started < 5
    await engine.close()


async def test_a_replica_outside_the_set_is_not_tried(engine: Engine) -> None:
    pieces, error = await read(engine, Attempt("r9", HELLO))
    assert (pieces, type(error)) == ([], ConnectFailed)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.HANG])
async def test_a_deadline_also_frees_the_engine(fault: Fault, scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, fault))
    await read(engine)
    await asyncio.wait_for(scripted.calls[0].aborted.wait(), 10)


async def test_slow_is_not_stalled(scripted: ScriptedEngine, engine: Engine) -> None:
    # Longer in all than the first token's and the stall's deadline together, never longer than either at once.
    scripted.enqueue(Script(["a"] * 8, delay_s=0.35, first_delay_s=0.5))
    pieces, error = await read(engine)
    assert error is None
    assert len(pieces) == 9


async def test_closing_the_iterator_aborts_the_generation(
    scripted: ScriptedEngine, engine: Engine, replicas: Replicas
) -> None:
    scripted.enqueue(Script(["a"] * 100, delay_s=0.05))
    stream = engine.stream(Attempt("r0", HELLO))
    assert await anext(stream) == Text("a")
    assert replicas.snapshot()[0].inflight == 1
    await stream.aclose()
    await asyncio.wait_for(scripted.calls[0].aborted.wait(), 10)
    assert replicas.snapshot()[0].inflight == 0
    assert state(replicas) is ReplicaState.READY


@pytest.mark.parametrize("script", [Script(["a"] * 100, delay_s=0.05), Script(fault=Fault.SILENT)])
async def test_a_cancelled_task_aborts_the_generation(
    script: Script, scripted: ScriptedEngine, engine: Engine, replicas: Replicas
) -> None:
    scripted.enqueue(script)
    task = asyncio.create_task(read(engine))
    await until(lambda: scripted.calls)
    task.cancel()
    await asyncio.wait_for(scripted.calls[0].aborted.wait(), 10)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert replicas.snapshot()[0].inflight == 0
    assert state(replicas) is ReplicaState.READY, "whoever hangs up says nothing about the replica"


async def test_only_what_is_the_replicas_fault_makes_it_suspect(
    scripted: ScriptedEngine, engine: Engine, replicas: Replicas
) -> None:
    scripted.enqueue(Script(fault=Fault.BUSY), Script(fault=Fault.BAD_REQUEST), Script(PIECES, Fault.ABORT))
    states = []
    for _ in range(3):
        await read(engine)
        states.append(state(replicas))
    assert states == [ReplicaState.READY, ReplicaState.READY, ReplicaState.SUSPECT]


async def test_everything_the_engine_needs_is_on_the_wire(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES))
    schema = {"type": "object", "properties": {"a": {"const": "é"}}}
    extra = {"return_token_ids": True}
    await read(engine, Attempt("r0", HELLO, schema, 77, "the salt", 0, TRACEPARENT, extra))
    call = scripted.calls[0]
    assert call.headers["traceparent"] == TRACEPARENT
    assert call.body == {
        "model": "pindesk",
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 77,
        "temperature": 0,
        "structured_outputs": {"json": schema},
        "cache_salt": "the salt",
        "priority": 0,
        "return_token_ids": True,
    }


async def test_attempts_side_by_side_do_not_mix(scripted: ScriptedEngine, engine: Engine) -> None:
    faults = [None, Fault.TRUNCATE, None, Fault.ABORT, None, Fault.GARBAGE, None, Fault.END]
    scripted.enqueue(*(Script([str(n)] * 20, fault, 0.005) for n, fault in enumerate(faults)))
    results = await asyncio.gather(*(read(engine) for _ in faults))
    by_text = {pieces[0].text: (len(pieces), error) for pieces, error in results}
    assert sorted(by_text) == [str(n) for n in range(len(faults))]
    for n, fault in enumerate(faults):
        count, error = by_text[str(n)]
        assert (count, error and type(error)) == ((21, None) if fault is None else (20, BROKEN[fault]))


async def test_an_attempt_goes_to_the_replica_that_it_names(pair: tuple[ScriptedEngine, ScriptedEngine]) -> None:
    async with Replicas([each.url for each in pair], interval_s=INTERVAL_S, probe=quick_probe()) as replicas:
        await replicas.wait_ready(20)
        engine = Engine(replicas, Timeouts())
        pair[0].always, pair[1].always = Script(["zero"]), Script(["one"])
        for key, text in ("r1", "one"), ("r1", "one"), ("r0", "zero"), ("r1", "one"):
            assert (await read(engine, Attempt(key, HELLO)))[0][0] == Text(text)
        async with ScriptedEngine() as late:
            late.always = Script(["two"])
            replicas.add(late.url)
            await until(lambda: "r2" in replicas.served())
            assert (await read(engine, Attempt("r2", HELLO)))[0][0] == Text("two")
        await replicas.remove("r0")
        assert isinstance((await read(engine, Attempt("r0", HELLO)))[1], ConnectFailed)
        await engine.close()


async def test_a_replica_that_comes_back_is_reached_again(
    scripted: ScriptedEngine, engine: Engine, replicas: Replicas
) -> None:
    scripted.always = Script(PIECES, Fault.TRUNCATE)
    await read(engine)
    await scripted.restart()
    scripted.always = Script(PIECES)
    await replicas.wait_ready(20)
    assert (await read(engine))[1] is None


async def test_prefill_decodes_one_token_under_the_right_salt(scripted: ScriptedEngine, engine: Engine) -> None:
    await engine.prefill("r0", HELLO, {"type": "object"}, "the salt", 5)
    body = scripted.probes[-1].body
    assert (body["max_tokens"], body["cache_salt"], body["priority"]) == (1, "the salt", 5)
    assert body["structured_outputs"] == {"json": {"type": "object"}}


async def test_a_prefill_that_fails_says_so(scripted: ScriptedEngine, engine: Engine) -> None:
    await scripted.stop()
    with pytest.raises(ConnectFailed):
        await engine.prefill("r0", HELLO)


async def test_tokens_come_from_the_replica(engine: Engine) -> None:
    tokens = await engine.tokenize("r0", HELLO)
    assert bytes(tokens).decode() == "system\nBe brief.\nuser\nhello\n"


async def test_an_error_never_quotes_the_customer(scripted: ScriptedEngine, engine: Engine) -> None:
    secret = [{"role": "user", "content": "my card is 4111 1111 1111 1111"}]
    scripted.enqueue(Script(["4111"], Fault.ERROR), Script(fault=Fault.BAD_REQUEST))
    for _ in range(2):
        _, error = await read(engine, Attempt("r0", secret))
        assert "4111" not in str(error)
        assert "4111" not in str(error.__dict__)


async def test_the_stream_ends_with_its_context(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, delay_s=0.02))
    async with aclosing(engine.stream(Attempt("r0", HELLO))) as stream:
        assert [piece async for piece in stream][-1] == Usage("stop", 20, 0, len(PIECES))
    assert scripted.calls[0].finished


async def test_what_the_engine_wrote_arrives_byte_for_byte(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.enqueue(Script(PIECES, prompt_tokens=120, cached_tokens=96))
    wire = Wire("r0")
    events = [event async for batch in engine.events(Attempt("r0", HELLO), wire) for event in batch]
    assert [json.loads(event.raw) for event in events] == [event.chunk for event in events]
    assert [event.text for event in events if event.choices] == [*PIECES, ""]
    assert events[-1].chunk["usage"] == wire.usage
    assert usage_of(wire) == Usage("stop", 120, 96, len(PIECES))


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.TRUNCATE, Fault.END, Fault.ERROR, Fault.GARBAGE])
async def test_a_failure_before_the_first_output_yields_nothing(
    fault: Fault, scripted: ScriptedEngine, engine: Engine
) -> None:
    scripted.enqueue(Script([""], fault))
    events = engine.events(Attempt("r0", HELLO), Wire("r0"))
    with pytest.raises(EngineError):
        await anext(events)


async def test_a_connection_is_used_again(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.always = Script(PIECES)
    for _ in range(3):
        await read(engine)
    assert len({call.peer for call in scripted.calls}) == 1
