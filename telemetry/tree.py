"""From the spans of a trace to the tree of one turn. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypedDict

from telemetry.allow import Attributes
from telemetry.identity import turn_span_id
from telemetry.names import ATTEMPT_OUTCOME, TURN, AttemptOutcome, is_chat_span
from telemetry.record import EventRecord, SpanRecord


class SpanNode(TypedDict):
    """A span as the API shows it; `parent_id` is None for the root, whose parent, if any, is a page in a browser."""

    span_id: str
    parent_id: str | None
    name: str
    service: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    events: list[EventRecord]


class TraceTree(TypedDict):
    """`complete`: one root, a `turn`, every other span below it, and under each finished attempt the engine's span."""

    complete: bool
    spans: list[SpanNode]


def build_tree(records: Sequence[SpanRecord], turn_id: str | None = None) -> TraceTree:
    """Build the tree of `turn_id`, or of the whole trace without it; spans are ordered by start.

    A page may use one trace for several turns: with `turn_id`, only what hangs below that turn's root counts.
    """
    kept = list(records) if turn_id is None else _below(records, turn_span_id(turn_id))
    known = {record.span_id for record in kept}
    spans = [_node(record, known) for record in sorted(kept, key=lambda record: (record.start_ns, record.span_id))]
    return TraceTree(complete=_is_complete(kept, known), spans=spans)


def _below(records: Sequence[SpanRecord], root_id: str) -> list[SpanRecord]:
    children: dict[str | None, list[SpanRecord]] = {}
    for record in records:
        children.setdefault(record.parent_id, []).append(record)
    found = {record.span_id: record for record in records if record.span_id == root_id}
    waiting = deque([root_id])
    while waiting:
        for child in children.get(waiting.popleft(), []):
            if child.span_id not in found:
                found[child.span_id] = child
                waiting.append(child.span_id)
    return list(found.values())


def _is_complete(records: Iterable[SpanRecord], known: set[str]) -> bool:
    records = list(records)
    roots = [record for record in records if record.parent_id not in known]
    if [root.name for root in roots] != [TURN]:
        return False
    parents_of_foreign = {record.parent_id for record in records if record.service != roots[0].service}
    return all(record.span_id in parents_of_foreign for record in records if _owes_engine_span(record))


def _owes_engine_span(record: SpanRecord) -> bool:
    return is_chat_span(record.name) and record.attributes.get(ATTEMPT_OUTCOME) == AttemptOutcome.FINISHED


def _node(record: SpanRecord, known: set[str]) -> SpanNode:
    return SpanNode(
        span_id=record.span_id,
        parent_id=record.parent_id if record.parent_id in known else None,
        name=record.name,
        service=record.service,
        start_ns=record.start_ns,
        end_ns=record.end_ns,
        attributes=record.attributes,
        events=record.events,
    )
