import pytest

from telemetry.names import ERROR_TYPE, PLACEMENT, TURN_ATTEMPTS, TURN_OUTCOME
from telemetry.record import SpanRecord
from telemetry.sampling import Sampling
from telemetry.store import SpanStore
from tests.telemetry.spans import TRACE_ID, span

MS = 1_000_000
ORDINARY = {TURN_OUTCOME: "done", TURN_ATTEMPTS: 1, PLACEMENT: "pinned"}
OTHER = "f" * 32


def turn(trace_id: str = TRACE_ID, took_ms: int = 300, ended_ms: int = 1000, **told: object) -> SpanRecord:
    start_ns = (ended_ms - took_ms) * MS
    return span("a", trace_id=trace_id, start_ns=start_ns, end_ns=ended_ms * MS, **{**ORDINARY, **told})


@pytest.mark.parametrize(
    "told",
    [
        {TURN_OUTCOME: "failed"},
        {ERROR_TYPE: "turn_timeout"},
        {TURN_ATTEMPTS: 2},
        {PLACEMENT: "moved_load"},
        {PLACEMENT: "cold"},
        {"took_ms": 900},
    ],
    ids=str,
)
def test_what_somebody_may_ask_about_is_kept(told: dict[str, object]) -> None:
    assert Sampling(0, slow_ms=500).keeps(TRACE_ID, [turn(), turn(**told)])


def test_of_ordinary_turns_a_share_is_kept_by_the_traces_id() -> None:
    traces = [f"{number:032x}" for number in range(20_000)]

    kept = [trace_id for trace_id in traces if Sampling(0.1).keeps(trace_id, [turn(trace_id)])]

    assert len(kept) == 2000
    assert all(Sampling(0.5).keeps(trace_id, [turn(trace_id)]) for trace_id in kept)


def test_the_store_is_thinned_of_what_has_settled(store: SpanStore) -> None:
    spans = [turn(), span("b", "a", "store"), turn(OTHER, **{TURN_OUTCOME: "failed"}), turn("e" * 32, ended_ms=5000)]
    store.save(spans)

    assert store.thin(Sampling(0), since_ns=0, until_ns=2000 * MS) == 1

    assert store.read(TRACE_ID) == []
    assert len(store.read(OTHER)) == 1 and len(store.read("e" * 32)) == 1


def test_a_trace_with_a_turn_that_may_go_on_stays_whole(store: SpanStore) -> None:
    later = span("d", start_ns=4000 * MS, end_ns=5000 * MS, **ORDINARY)
    store.save([turn(), later])

    assert store.thin(Sampling(0), since_ns=0, until_ns=2000 * MS) == 0
    assert len(store.read(TRACE_ID)) == 2
