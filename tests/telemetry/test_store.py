import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from time import monotonic, time_ns

import pytest
from sqlalchemy import inspect, text

from telemetry import schema
from telemetry.record import EventRecord, SpanRecord
from telemetry.store import DELETE_BATCH, SpanStore
from tests.telemetry.spans import TRACE_ID, span

DAY_NS = 24 * 3600 * 10**9


async def test_a_span_comes_back_as_it_was(store: SpanStore) -> None:
    kept = SpanRecord(
        TRACE_ID,
        "b7ad6b7169203331",
        "00f067aa0ba902b7",
        "chat pindesk",
        "web",
        1_795_240_498_731_525_807,
        1_795_240_498_931_525_807,
        {"pindesk.replica.id": "r0", "pindesk.placement.costs_ms": [1.5, 2.0], "pindesk.pin.moved": False},
        [EventRecord(name="first_text", time_ns=1_795_240_498_831_525_807, attributes={})],
    )

    store.save([kept])

    assert await store.trace(TRACE_ID) == [kept]
    assert await store.trace("f" * 32) == []


def test_spans_are_read_by_their_start(store: SpanStore) -> None:
    store.save([span("a", start_ns=3), span("b", "a", "store", start_ns=1), span("c", "a", "route", start_ns=2)])

    assert [found.start_ns for found in store.read(TRACE_ID)] == [1, 2, 3]


def test_a_turn_that_was_taken_over_replaces_the_first_owners_root(store: SpanStore) -> None:
    store.save([span("a", end_ns=5)])
    store.save([span("a", end_ns=9)])
    store.save([span("a", end_ns=7)])

    assert [found.end_ns for found in store.read(TRACE_ID)] == [9]


def test_one_batch_may_hold_a_span_twice(store: SpanStore) -> None:
    store.save([span("a", end_ns=5), span("a", end_ns=6)])

    assert [found.end_ns for found in store.read(TRACE_ID)] == [6]


def test_the_store_says_which_spans_it_knows_and_what_came_lately(store: SpanStore) -> None:
    store.save([span("a", end_ns=5), span("b", "a", end_ns=9)])

    asked = [each.ljust(16, "0") for each in "abc"] + [f"{number:016x}" for number in range(2 * DELETE_BATCH)]
    assert store.known(asked) == {"a".ljust(16, "0"), "b".ljust(16, "0")}
    assert [found.end_ns for found in store.ended_since(6)] == [9]


def test_saving_nothing_is_nothing(store: SpanStore) -> None:
    store.save([])

    assert store.read(TRACE_ID) == []


def test_old_spans_go(store: SpanStore) -> None:
    now_ns = time_ns()
    old = [span(f"{index:x}x", end_ns=now_ns - 8 * DAY_NS + index % 7) for index in range(2 * DELETE_BATCH + 7)]
    store.save([*old, span("a", end_ns=now_ns - 6 * DAY_NS)])

    assert store.expire(timedelta(days=7)) == len(old)
    assert [found.span_id for found in store.read(TRACE_ID)] == [span("a").span_id]
    assert store.expire(timedelta(days=7)) == 0


def test_a_deleted_conversations_traces_are_forgotten(store: SpanStore) -> None:
    other = "f" * 32
    store.save([span("a"), span("b", "a", "store"), span("a", trace_id=other)])

    store.forget([TRACE_ID])

    assert store.read(TRACE_ID) == []
    assert len(store.read(other)) == 1


def test_opening_again_changes_nothing(store: SpanStore, database_url: str) -> None:
    store.save([span("a")])
    again = SpanStore(database_url)

    again.open()

    assert len(again.read(TRACE_ID)) == 1
    again.close()


def test_several_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    stores = [SpanStore(database_url) for _ in range(4)]
    threads = [threading.Thread(target=each.open) for each in stores]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    stores[0].save([span("a")])
    assert len(stores[3].read(TRACE_ID)) == 1
    with stores[0]._engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM telemetry_schema")).scalar() == 1
    for each in stores:
        each.close()


def test_an_older_database_takes_the_missing_steps(
    store: SpanStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save([span("a")])
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, ("ALTER TABLE telemetry_span ADD COLUMN note TEXT",)))
    later = SpanStore(database_url)

    later.open()
    later.open()

    with later._engine.connect() as connection:
        assert connection.execute(text("SELECT note FROM telemetry_span")).all() == [(None,)]
        assert connection.scalar(text("SELECT version FROM telemetry_schema")) == len(schema.STEPS) + 1
    later.close()


def test_a_database_of_the_first_version_gets_its_index(store: SpanStore, database_url: str) -> None:
    with store._engine.begin() as connection:
        connection.execute(text("DROP INDEX telemetry_span_span_id"))
        connection.execute(text("UPDATE telemetry_schema SET version = 1"))
    later = SpanStore(database_url)

    later.open()

    names = {index["name"] for index in inspect(later._engine).get_indexes("telemetry_span")}
    assert "telemetry_span_span_id" in names
    later.close()


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        SpanStore("mysql://localhost/pindesk")


def test_on_sqlite_a_write_waits_for_the_main_stores_and_a_read_does_not(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "pindesk.db"
    store = SpanStore(f"sqlite:///{path}")
    store.open()
    main = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    main.execute("BEGIN IMMEDIATE")
    committing = threading.Timer(0.3, main.commit)
    started = monotonic()
    committing.start()

    assert store.read(TRACE_ID) == []
    read_s = monotonic() - started
    store.save([span("a")])
    saved_s = monotonic() - started

    assert read_s < 0.2 < saved_s < 3
    committing.join()
    main.close()
    store.close()
