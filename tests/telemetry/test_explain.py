from pathlib import Path

import pytest

from telemetry.__main__ import main
from telemetry.explain import explain, parts
from telemetry.identity import turn_span_id
from telemetry.names import (
    ATTEMPT_OUTCOME,
    ENGINE_DECODE_S,
    ENGINE_PREFILL_S,
    ENGINE_QUEUE_S,
    ERROR_TYPE,
    PIN_REPLICA,
    PLACEMENT,
    PLACEMENT_CANDIDATES,
    PLACEMENT_COSTS_MS,
    REPLICA,
    TTFV_MS,
    TURN_OUTCOME,
    TURN_QUEUE_MS,
    USAGE_CACHE_READ_TOKENS,
    USAGE_INPUT_TOKENS,
    USAGE_OUTPUT_TOKENS,
    AttemptOutcome,
)
from telemetry.record import SpanRecord
from telemetry.store import SpanStore
from telemetry.tree import build_tree
from tests.telemetry.spans import span

MS = 1_000_000
TURN_ID = "trn_1"
ROOT = turn_span_id(TURN_ID)


def drained() -> list[SpanRecord]:
    """A turn whose replica was drained: 100 ms of its second are explained by nothing."""
    return [
        span(ROOT, start_ns=0, end_ns=1000 * MS, **{TURN_OUTCOME: "done", TTFV_MS: 700.0, TURN_QUEUE_MS: 30.0}),
        span("b", ROOT, "store", start_ns=30 * MS, end_ns=40 * MS),
        span(
            "c",
            ROOT,
            "route",
            start_ns=40 * MS,
            end_ns=41 * MS,
            **{
                PLACEMENT: "moved_drain",
                PIN_REPLICA: "r0",
                PLACEMENT_CANDIDATES: ["r1", "r0"],
                PLACEMENT_COSTS_MS: [655.0, 31.0],
            },
        ),
        span(
            "d",
            ROOT,
            "chat pindesk",
            start_ns=41 * MS,
            end_ns=891 * MS,
            **{
                REPLICA: "r1",
                ATTEMPT_OUTCOME: AttemptOutcome.FINISHED,
                USAGE_INPUT_TOKENS: 903,
                USAGE_CACHE_READ_TOKENS: 91,
                USAGE_OUTPUT_TOKENS: 14,
            },
        ),
        span(
            "e",
            "d",
            "llm_request",
            service="r1",
            start_ns=45 * MS,
            end_ns=880 * MS,
            **{ENGINE_QUEUE_S: 0.012, ENGINE_PREFILL_S: 0.64, ENGINE_DECODE_S: 0.15},
        ),
        span("f", ROOT, "commit", start_ns=891 * MS, end_ns=900 * MS),
    ]


def test_a_moved_turn_says_from_where_what_was_computed_anew_and_the_price_elsewhere() -> None:
    assert explain(build_tree(drained(), TURN_ID)) == [
        "done after 1000 ms; first text after 700 ms",
        "moved: r0 is being drained, the conversation went to r1; 812 of 903 prompt tokens recomputed, 640 ms; "
        "queue 12 ms; 14 tokens written in 150 ms",
        "expected when it was placed: r1 655 ms, r0 31 ms",
        "where the time went: prefill 640 ms, decoding 150 ms, unexplained 100 ms, way to the engine and back 48 ms, "
        "queue for a server 30 ms, engine's queue 12 ms, store 10 ms, commit 9 ms, route 1 ms",
    ]


def test_the_parts_add_up_to_the_turn() -> None:
    tree = build_tree(drained(), TURN_ID)

    assert sum(part.ms for part in parts(tree, tree["spans"][0])) == pytest.approx(1000)


def test_no_moment_of_a_turn_counts_twice() -> None:
    """The reply is stored while the engine writes for the staff; the queue was for the second of two servers."""
    records = [
        span(ROOT, start_ns=0, end_ns=100 * MS, **{TURN_OUTCOME: "done", TURN_QUEUE_MS: 30.0}),
        span("b", ROOT, "store", start_ns=10 * MS, end_ns=40 * MS),
        span("c", ROOT, "chat pindesk", start_ns=40 * MS, end_ns=80 * MS),
        span("d", "c", "llm_request", service="r0", start_ns=41 * MS, end_ns=79 * MS, **{ENGINE_DECODE_S: 0.038}),
        span("e", ROOT, "commit", start_ns=60 * MS, end_ns=70 * MS),
        span("f", ROOT, "paint", start_ns=0, end_ns=90 * MS),
    ]
    tree = build_tree(records, TURN_ID)

    told = {part.name: round(part.ms) for part in parts(tree, tree["spans"][0]) if part.ms}

    assert told == {"store": 30, "decoding": 30, "unexplained": 20, "queue for a server": 10, "commit": 10}


def test_a_failed_attempt_and_the_one_after_it_are_told_apart() -> None:
    lost = {ATTEMPT_OUTCOME: AttemptOutcome.FAILED, ERROR_TYPE: "connect_failed", REPLICA: "r0"}
    records = [
        *drained(),
        span("1", ROOT, "route", start_ns=10 * MS, end_ns=11 * MS, **{PLACEMENT: "pinned", PIN_REPLICA: "r0"}),
        span("2", ROOT, "chat pindesk", start_ns=11 * MS, end_ns=21 * MS, **lost),
    ]

    told = explain(build_tree(records, TURN_ID))

    assert told[1] == (
        "pinned: answered by r0, which answers this conversation; the attempt failed (connect_failed) after 10 ms"
    )
    assert told[2].startswith("moved: r0")


def test_a_finished_attempt_without_the_engines_span_says_so() -> None:
    records = [record for record in drained() if record.name != "llm_request"]

    told = explain(build_tree(records, TURN_ID))

    assert "the engine's span has not come" in told[1]
    assert "attempt without the engine's span 850 ms" in told[-1]


def test_a_turn_that_has_not_ended_has_no_story() -> None:
    assert explain(build_tree([span("b", ROOT, "store")], TURN_ID)) == [
        "The turn has not ended, or its trace is not kept any more."
    ]


def test_the_command_reads_the_traces_of_the_database(
    store: SpanStore, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store.save(drained())

    assert main(["explain", TURN_ID, "--database", database_url]) == 0
    assert capsys.readouterr().out.startswith("done after 1000 ms")


def test_the_command_says_that_it_knows_no_such_turn(
    store: SpanStore, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "trn_2", "--database", database_url]) == 1
    assert capsys.readouterr().err.startswith("No turn trn_2 in the traces")


def test_the_command_says_that_there_are_no_traces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", TURN_ID, "--database", f"sqlite:///{tmp_path / 'empty.db'}"]) == 1
    assert capsys.readouterr().err.startswith("telemetry: the traces cannot be read:")
