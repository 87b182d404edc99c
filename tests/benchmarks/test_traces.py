"""What the benchmark makes of traces, on spans that are written here."""

from itertools import islice

from benchmarks.canaries import canaries, found_in
from benchmarks.traces import Seen, texts
from telemetry.identity import turn_span_id
from telemetry.names import ATTEMPT_OUTCOME, REPLICA, TURN_OUTCOME, AttemptOutcome
from telemetry.record import SpanRecord
from tests.telemetry.spans import span

MS = 1_000_000
ROOT = turn_span_id("trn_1")


def turn(**attributes: object) -> SpanRecord:
    return span(ROOT, start_ns=0, end_ns=100 * MS, **{TURN_OUTCOME: "done", **attributes})


def attempt(outcome: AttemptOutcome = AttemptOutcome.FINISHED) -> SpanRecord:
    told = {ATTEMPT_OUTCOME: outcome, REPLICA: "r0"}
    return span("b", ROOT, "chat pindesk", start_ns=10 * MS, end_ns=90 * MS, **told)


def seen(*trace: SpanRecord) -> Seen:
    seen = Seen()
    seen.take("trn_1", trace)
    return seen


def test_a_whole_trace_counts_and_its_gaps_are_told() -> None:
    found = seen(turn(), attempt(), span("c", "b", "llm_request", service="r0"))

    assert (found.roots, found.astray, found.with_engine, found.finished) == ({1: 1}, 0, 1, 1)
    assert (found.whole_ms, found.unknown_ms, found.spans) == (100, 20, [2])
    assert "exactly one root   100.00%" in found.report() and "80.00% of all" in found.report()


def test_a_trace_without_its_root_and_one_with_two_do_not_count() -> None:
    assert seen().roots == {0: 1}
    stray = seen(turn(), span("d", "e", "store"))
    assert (stray.roots, stray.astray) == ({2: 1}, 1)


def test_an_engines_span_counts_only_under_its_attempt_and_from_its_replica() -> None:
    assert seen(turn(), attempt(), span("c", "b", "llm_request", service="r1")).with_engine == 0
    assert seen(turn(), attempt(), span("c", ROOT, "llm_request", service="r0")).with_engine == 0
    assert seen(turn(), attempt(AttemptOutcome.STOPPED)).finished == 0


def test_fifty_canaries_are_in_every_hundred_messages() -> None:
    wanted = canaries()

    written = list(islice(texts(wanted), 100))

    assert found_in("\n".join(written), wanted) == set(wanted)
    assert sum(bool(found_in(text, wanted)) for text in written) == 50
