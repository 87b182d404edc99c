import asyncio
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.trace import use_span
from prometheus_client import Counter as Metric

from telemetry import Telemetry, TelemetryConfig, names
from telemetry.identity import turn_parent
from telemetry.names import ATTEMPT_OUTCOME, CONVERSATION_ID, AttemptOutcome
from telemetry.propagation import admit, trace_id_of, traceparent_of
from telemetry.tree import build_tree
from tests.telemetry.spans import Replica

CANARY = "my card is 4111 1111 1111 1111"


def play_turn(telemetry: Telemetry, traceparent: str, turn_id: str) -> str:
    """All the spans of a turn, as the application writes them; returns what the engine is given."""
    now_ns = time.time_ns()
    telemetry.record(
        names.STORE, turn_parent(traceparent, turn_id), now_ns - 1000, now_ns, {names.CONVERSATION_ID: "cnv_1"}
    )
    turn = telemetry.start_turn(
        traceparent, "cnv_1", turn_id, start_ns=now_ns, attributes={names.SITE: "demo", names.TURN_INDEX: 2}
    )
    with use_span(turn, end_on_exit=True):
        with telemetry.tracer.start_as_current_span(names.ASSEMBLE) as assemble:
            assemble.set_attribute(names.PROMPT_MESSAGES, 5)
        with telemetry.tracer.start_as_current_span(names.ROUTE) as route:
            route.set_attributes({names.PLACEMENT: "pinned", names.PLACEMENT_CANDIDATES: ["r0", "r1"]})
        attempt = telemetry.start_attempt(turn, turn_id, 1, "pindesk", {names.REPLICA: "r0", "text": CANARY})
        for event in (names.FIRST_TOKEN, names.TEMPLATE_KNOWN, names.FIRST_TEXT, names.REPLY_DONE):
            attempt.add_event(event)
        attempt.set_attributes({ATTEMPT_OUTCOME: AttemptOutcome.FINISHED, names.USAGE_INPUT_TOKENS: 900})
        attempt.end()
        with telemetry.tracer.start_as_current_span(names.COMMIT):
            pass
    telemetry.record(names.PAINT, turn_parent(traceparent, turn_id), now_ns, time.time_ns())
    return traceparent_of(attempt)


def counted(counter: Metric) -> float:
    return sum(sample.value for family in counter.collect() for sample in family.samples if "_total" in sample.name)


async def test_a_turns_tree_reaches_from_the_store_to_the_engine(telemetry: Telemetry) -> None:
    traceparent = admit(None, trusted=False)
    replica = Replica(telemetry.receiver.port, "r0")

    replica.answer(play_turn(telemetry, traceparent, "trn_1"))
    tree = await telemetry.trace(trace_id_of(traceparent), "trn_1", wait_s=0)

    services = {node["name"]: node["service"] for node in tree["spans"]}
    assert tree["complete"]
    assert services == {
        "turn": "web",
        "store": "web",
        "assemble": "web",
        "route": "web",
        "chat pindesk": "web",
        "llm_request": "r0",
        "commit": "web",
        "paint": "web",
    }
    own = [node for node in tree["spans"] if node["service"] == "web"]
    assert all(node["attributes"][CONVERSATION_ID] == "cnv_1" for node in own if node["name"] != "paint")
    assert CANARY not in repr(tree)
    assert counted(telemetry.metrics.dropped_spans) == 0
    replica.close()


async def test_reading_waits_for_the_engines_span(telemetry: Telemetry) -> None:
    traceparent = admit(None, trusted=False)
    engine_parent = play_turn(telemetry, traceparent, "trn_1")
    replica = Replica(telemetry.receiver.port)
    reading = asyncio.create_task(telemetry.trace(trace_id_of(traceparent), "trn_1", wait_s=5))
    await asyncio.sleep(0.2)
    assert not reading.done()

    await asyncio.to_thread(replica.answer, engine_parent)

    assert (await reading)["complete"]
    replica.close()


async def test_reading_gives_up_on_an_engine_that_sends_nothing(telemetry: Telemetry) -> None:
    traceparent = admit(None, trusted=False)
    play_turn(telemetry, traceparent, "trn_1")

    tree = await telemetry.trace(trace_id_of(traceparent), "trn_1", wait_s=0.1)

    assert not tree["complete"]
    assert len(tree["spans"]) == 7


async def test_a_deleted_conversation_leaves_no_trace(telemetry: Telemetry) -> None:
    traceparent = admit(None, trusted=False)
    play_turn(telemetry, traceparent, "trn_1")

    await telemetry.forget([trace_id_of(traceparent)])

    assert (await telemetry.trace(trace_id_of(traceparent), wait_s=0))["spans"] == []


async def test_spans_arrive_without_being_asked_for(telemetry: Telemetry) -> None:
    traceparent = admit(None, trusted=False)
    play_turn(telemetry, traceparent, "trn_1")

    await asyncio.sleep(0.6)

    assert len(await telemetry.store.trace(trace_id_of(traceparent))) == 7


async def test_a_second_process_relies_on_the_firsts_receiver_and_inherits_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pindesk.db'}"
    first = Telemetry(TelemetryConfig(url, receiver_port=0))
    await first.open()
    second = Telemetry(TelemetryConfig(url, receiver_port=first.receiver.port))

    await second.open()
    assert not second.receiver.is_running
    await first.close()
    second._listen()

    assert second.receiver.is_running
    await second.close()


async def test_old_spans_go_by_themselves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pindesk.db'}"
    traceparent = admit(None, trusted=False)
    first = Telemetry(TelemetryConfig(url, receiver_port=None))
    await first.open()
    play_turn(first, traceparent, "trn_1")
    await first.close()

    second = Telemetry(TelemetryConfig(url, receiver_port=None, retention=timedelta(0)))
    await second.open()
    for _ in range(100):
        if not await second.store.trace(trace_id_of(traceparent)):
            break
        await asyncio.sleep(0.02)

    assert await second.store.trace(trace_id_of(traceparent)) == []
    await second.close()


async def test_what_is_left_is_written_when_it_closes(tmp_path: Path) -> None:
    config = TelemetryConfig(f"sqlite:///{tmp_path / 'pindesk.db'}", receiver_port=None)
    traceparent = admit(None, trusted=False)
    first = Telemetry(config)
    await first.open()
    play_turn(first, traceparent, "trn_1")
    await first.close()

    second = Telemetry(config)
    await second.open()

    assert len(await second.store.trace(trace_id_of(traceparent))) == 7
    await second.close()


async def test_a_dead_collector_costs_no_time_and_its_drops_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    telemetry = Telemetry(TelemetryConfig(f"sqlite:///{tmp_path / 'pindesk.db'}", receiver_port=None))
    await telemetry.open()
    traceparent = admit(None, trusted=False)
    started = time.monotonic()
    play_turn(telemetry, traceparent, "trn_1")

    tree = await telemetry.trace(trace_id_of(traceparent), "trn_1", wait_s=0)
    assert len(tree["spans"]) == 7
    assert time.monotonic() - started < 0.5
    await telemetry.close()

    assert time.monotonic() - started < 4
    assert sum(counted(telemetry.metrics.dropped_spans.labels("otlp", reason)) for reason in _REASONS) == 7


async def test_a_collector_by_the_standard_variables_gets_the_spans_without_text(
    telemetry: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{telemetry.receiver.port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-chat")
    sender = Telemetry(TelemetryConfig(f"sqlite:///{tmp_path / 'other.db'}", receiver_port=0))
    await sender.open()
    traceparent = admit(None, trusted=False)
    engine_parent = play_turn(sender, traceparent, "trn_1")
    replica = Replica(sender.receiver.port, "r0")
    await asyncio.to_thread(replica.answer, engine_parent, gen_ai_prompt=CANARY)
    replica.close()

    await sender.close()

    spans = await telemetry.store.trace(trace_id_of(traceparent))
    assert build_tree(spans, "trn_1")["complete"]
    assert Counter(span.service for span in spans) == {"shop-chat": 7, "r0": 1}
    assert CANARY not in repr(spans)


_REASONS = ("queue_full", "export_failed", "closed")
