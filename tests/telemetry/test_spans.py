from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, set_span_in_context, use_span

from telemetry.identity import ChosenIds, attempt_span_id, turn_parent, turn_span_id
from telemetry.names import (
    ATTEMPT,
    ATTEMPT_OUTCOME,
    CONVERSATION_ID,
    MESSAGE_CHARACTERS,
    PAINT,
    REPLICA,
    REQUEST_MODEL,
    SITE,
    STORE,
    TURN_ID,
    AttemptOutcome,
)
from telemetry.propagation import TraceParent, admit, parsed, trace_id_of, traceparent_of
from telemetry.record import from_span
from telemetry.spans import TurnTracer
from telemetry.store import SpanStore
from telemetry.tree import TraceTree, build_tree
from tests.telemetry.spans import TRACE_ID

PAGE = str(TraceParent(TRACE_ID, "b7ad6b7169203331"))


class Traced(TurnTracer):
    """One process: a tracer that keeps what ends."""

    def __init__(self) -> None:
        self.kept = InMemorySpanExporter()
        provider = TracerProvider(id_generator=ChosenIds(), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.kept))
        super().__init__(provider.get_tracer("test"))

    def last(self) -> ReadableSpan:
        return self.kept.get_finished_spans()[-1]

    def tree(self) -> TraceTree:
        return build_tree([from_span(span) for span in self.kept.get_finished_spans()])


@pytest.fixture
def traced() -> Iterator[Traced]:
    traced = Traced()
    yield traced
    traced.kept.clear()


def test_a_turn_continues_the_pages_trace(traced: Traced) -> None:
    traced.start_turn(PAGE, "cnv_1", "trn_1", start_ns=5, attributes={SITE: "demo"}).end(9)

    span = traced.last()
    assert f"{span.context.trace_id:032x}" == TRACE_ID
    assert f"{span.parent.span_id:016x}" == parsed(PAGE).span_id
    assert (span.name, span.kind, span.start_time, span.end_time) == ("turn", SpanKind.SERVER, 5, 9)
    assert span.attributes == {CONVERSATION_ID: "cnv_1", TURN_ID: "trn_1", SITE: "demo"}


def test_a_restarted_turn_is_a_real_root(traced: Traced) -> None:
    own = admit(None, trusted=False)

    with traced.tracer.start_as_current_span("something that happens to be current"):
        span = traced.start_turn(own, "cnv_1", "trn_1")
    span.end()

    assert traced.last().parent is None
    assert f"{traced.last().context.trace_id:032x}" == trace_id_of(own)


def test_what_is_recorded_before_the_turn_starts_hangs_on_it(traced: Traced) -> None:
    own = admit(None, trusted=False)

    traced.record(STORE, turn_parent(own, "trn_1"), 5, 6, {MESSAGE_CHARACTERS: 12})
    traced.start_turn(own, "cnv_1", "trn_1").end()

    tree = traced.tree()
    assert tree["complete"]
    assert [(node["name"], node["start_ns"], node["end_ns"]) for node in tree["spans"][:1]] == [("store", 5, 6)]


def test_an_attempt_hangs_on_its_turn_and_the_engine_on_the_attempt(traced: Traced) -> None:
    turn = traced.start_turn(PAGE, "cnv_1", "trn_1")

    attempt = traced.start_attempt(turn, "trn_1", 2, "pindesk", {REPLICA: "r1"})

    header = parsed(traceparent_of(attempt))
    attempt.end()
    span = traced.last()
    assert (header.trace_id, header.span_id) == (TRACE_ID, attempt_span_id("trn_1", 2))
    assert (span.name, span.kind, span.attributes[ATTEMPT]) == ("chat pindesk", SpanKind.CLIENT, 2)
    assert (span.attributes[REQUEST_MODEL], span.attributes[REPLICA]) == ("pindesk", "r1")
    assert f"{span.parent.span_id:016x}" == turn_span_id("trn_1")


def test_spans_inside_the_turn_get_ids_of_their_own(traced: Traced) -> None:
    turn = traced.start_turn(PAGE, "cnv_1", "trn_1")
    with use_span(turn, end_on_exit=True):
        for name in ("assemble", "route", "commit"):
            traced.tracer.start_span(name).end()

    tree = traced.tree()
    assert tree["complete"]
    assert len({node["span_id"] for node in tree["spans"]}) == 4


def test_a_turn_that_changed_its_owner_keeps_one_tree() -> None:
    own = admit(None, trusted=True)
    dead, alive = Traced(), Traced()
    lost_turn = dead.start_turn(own, "cnv_1", "trn_1", start_ns=1)
    dead.tracer.start_span("assemble", context=set_span_in_context(lost_turn)).end()
    lost_attempt = dead.start_attempt(lost_turn, "trn_1", 1, "pindesk")
    dead.tracer.start_span("llm_request", context=set_span_in_context(lost_attempt)).end()

    turn = alive.start_turn(own, "cnv_1", "trn_1", start_ns=1)
    alive.record_lost_attempt(own, "cnv_1", "trn_1", 1, "pindesk", accepted_ns=7)
    alive.start_attempt(turn, "trn_1", 2, "pindesk", {ATTEMPT_OUTCOME: AttemptOutcome.STOPPED}).end()
    turn.end()

    ended = [*dead.kept.get_finished_spans(), *alive.kept.get_finished_spans()]
    tree = build_tree([from_span(span) for span in ended], "trn_1")
    outcomes = [node["attributes"].get(ATTEMPT_OUTCOME) for node in tree["spans"]]
    assert tree["complete"]
    assert sorted(node["name"] for node in tree["spans"]) == [
        "assemble",
        "chat pindesk",
        "chat pindesk",
        "llm_request",
        "turn",
    ]
    assert {AttemptOutcome.LOST, AttemptOutcome.STOPPED} <= set(outcomes)


def test_a_parent_that_is_no_traceparent_is_refused(traced: Traced) -> None:
    with pytest.raises(ValueError, match="traceparent"):
        traced.start_turn("garbage", "cnv_1", "trn_1")


def test_the_mark_of_a_lost_attempt_never_hides_one_that_was_ended(traced: Traced, tmp_path: Path) -> None:
    own = admit(None, trusted=True)
    store = SpanStore(f"sqlite:///{tmp_path / 'pindesk.db'}")
    store.open()
    turn = traced.start_turn(own, "cnv_1", "trn_1")
    traced.start_attempt(turn, "trn_1", 1, "pindesk", {ATTEMPT_OUTCOME: AttemptOutcome.FAILED}).end()
    traced.record_lost_attempt(own, "cnv_1", "trn_1", 1, "pindesk", accepted_ns=7)

    for span in traced.kept.get_finished_spans():
        store.save([from_span(span)])

    (kept,) = store.read(trace_id_of(own))
    assert kept.attributes[ATTEMPT_OUTCOME] == AttemptOutcome.FAILED
    store.close()


def test_what_is_recorded_twice_is_one_span(traced: Traced) -> None:
    own = turn_parent(admit(None, trusted=False), "trn_1")

    for name in (PAINT, PAINT, STORE):
        traced.record(name, own, 5, 6)

    first, second, other = (span.context.span_id for span in traced.kept.get_finished_spans())
    assert first == second != other
