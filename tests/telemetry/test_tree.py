import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.identity import turn_span_id
from telemetry.names import ATTEMPT_OUTCOME, AttemptOutcome
from telemetry.record import SpanRecord
from telemetry.tree import build_tree
from tests.telemetry.spans import span


def attempt(span_id: str, outcome: AttemptOutcome, parent_id: str = "a") -> SpanRecord:
    return span(span_id, parent_id, "chat pindesk", start_ns=3, **{ATTEMPT_OUTCOME: outcome})


def engine(parent_id: str, span_id: str = "e") -> SpanRecord:
    return span(span_id, parent_id, "llm_request", service="r0", start_ns=4)


def test_a_finished_turn_is_complete() -> None:
    tree = build_tree([engine("c"), attempt("c", AttemptOutcome.FINISHED), span("b", "a", "store"), span("a")])

    assert tree["complete"]
    assert [node["name"] for node in tree["spans"]] == ["turn", "store", "chat pindesk", "llm_request"]
    assert [node["service"] for node in tree["spans"]] == ["web", "web", "web", "r0"]


def test_the_pages_span_is_no_parent_that_we_know() -> None:
    tree = build_tree([span("a", parent_id="f")])

    assert tree["complete"]
    assert tree["spans"][0]["parent_id"] is None


def test_a_finished_attempt_owes_the_engines_span() -> None:
    assert not build_tree([span("a"), attempt("c", AttemptOutcome.FINISHED)])["complete"]


def test_the_engines_span_counts_under_its_own_attempt_only() -> None:
    records = [
        span("a"),
        attempt("c", AttemptOutcome.FINISHED),
        attempt("d", AttemptOutcome.FAILED),
        engine("d"),
    ]

    assert not build_tree(records)["complete"]


@pytest.mark.parametrize("outcome", [AttemptOutcome.STOPPED, AttemptOutcome.FAILED, AttemptOutcome.LOST])
def test_an_attempt_that_did_not_finish_owes_nothing(outcome: AttemptOutcome) -> None:
    assert build_tree([span("a"), attempt("c", outcome)])["complete"]


@pytest.mark.parametrize(
    "records",
    [
        [],
        [span("b", "a", "store")],
        [span("a"), span("b")],
        [span("a"), span("b", "9", "store")],
        [span("a", name="assemble")],
    ],
    ids=["empty", "turn has not ended", "two roots", "orphan", "root is no turn"],
)
def test_a_broken_tree_is_not_complete(records: list[SpanRecord]) -> None:
    assert not build_tree(records)["complete"]


def test_of_two_turns_in_one_trace_only_the_asked_one_is_shown() -> None:
    first, second = turn_span_id("trn_1"), turn_span_id("trn_2")
    records = [span(first), span("b", first, "store"), span(second), span("c", second, "route"), span("d", "c", "x")]

    tree = build_tree(records, "trn_2")

    assert tree["complete"]
    assert {node["span_id"][0] for node in tree["spans"]} == {second[0], "c", "d"}
    assert not build_tree(records)["complete"]


def test_a_running_turn_shows_what_has_ended() -> None:
    tree = build_tree([span("b", turn_span_id("trn_1"), "store")], "trn_1")

    assert not tree["complete"]
    assert [node["name"] for node in tree["spans"]] == ["store"]


@given(st.permutations([span("a"), span("b", "a", "store"), attempt("c", AttemptOutcome.FINISHED), engine("c")]))
def test_the_order_of_arrival_does_not_matter(records: list[SpanRecord]) -> None:
    ordered = sorted(records, key=lambda record: record.span_id)

    assert build_tree(records) == build_tree(ordered)


@given(
    st.lists(
        st.builds(span, st.sampled_from("abcdef"), st.sampled_from([None, *"abcdef"])),
        unique_by=lambda record: record.span_id,
    ),
    st.sampled_from([None, "trn_1"]),
)
def test_any_graph_of_spans_gives_a_tree_without_unknown_parents(
    records: list[SpanRecord], turn_id: str | None
) -> None:
    nodes = build_tree(records, turn_id)["spans"]

    known = {node["span_id"] for node in nodes}
    assert all(node["parent_id"] is None or node["parent_id"] in known for node in nodes)
