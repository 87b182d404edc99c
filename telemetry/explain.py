"""A turn's tree in words: where the time went, and what it would have cost elsewhere. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from telemetry.names import (
    ASSEMBLE,
    ATTEMPT_OUTCOME,
    COMMIT,
    ENGINE_DECODE_S,
    ENGINE_PREFILL_S,
    ENGINE_QUEUE_S,
    ERROR_TYPE,
    FOLD,
    LLM_REQUEST,
    PIN_REPLICA,
    PLACEMENT,
    PLACEMENT_CANDIDATES,
    PLACEMENT_COSTS_MS,
    REPLICA,
    ROUTE,
    SETTLE,
    STORE,
    TTFV_MS,
    TURN,
    TURN_OUTCOME,
    TURN_QUEUE_MS,
    USAGE_CACHE_READ_TOKENS,
    USAGE_INPUT_TOKENS,
    USAGE_OUTPUT_TOKENS,
    AttemptOutcome,
    is_chat_span,
)
from telemetry.tree import SpanNode, TraceTree

_WHY = {
    "pinned": "pinned: answered by {to}, which answers this conversation",
    "placed": "placed: the conversation began on {to}",
    "cold": "cold: nothing of the conversation was left on {since}, so {to} computed it anew",
    "moved_load": "moved: {since} had too much to do, the conversation went to {to}",
    "moved_drain": "moved: {since} is being drained, the conversation went to {to}",
    "failover": "failover: {since} was out of order, {to} took over",
    "brand_spill": "spilled: the brand's replicas had too much to do, {to} is none of them",
}
# What lies within an attempt comes before it.
_DEEPEST_FIRST = {COMMIT: 1, STORE: 2, ASSEMBLE: 2, FOLD: 2, ROUTE: 2, SETTLE: 2}
_WAY = "way to the engine and back"


@dataclass(frozen=True)
class Part:
    """One stretch of a turn's time."""

    name: str
    ms: float


def explain(tree: TraceTree) -> list[str]:
    """Sentences about the turn, the most telling first; one sentence if there is no turn in the tree."""
    turn = next((span for span in tree["spans"] if span["name"] == TURN), None)
    if turn is None:
        return ["The turn has not ended, or its trace is not kept any more."]
    attempts = [span for span in tree["spans"] if is_chat_span(span["name"])]
    routes = [span for span in tree["spans"] if span["name"] == ROUTE]
    told = [_headline(turn)]
    for number, attempt in enumerate(attempts):
        told += _attempt(attempt, routes[number] if number < len(routes) else None, _engine(tree, attempt))
    told.append(_where(parts(tree, turn)))
    return told


def parts(tree: TraceTree, turn: SpanNode) -> list[Part]:
    """The turn's time by what it was spent on, longest first; what no span explains is `unexplained`.

    No moment counts twice: what was stored while the engine wrote is the store's, not the engine's.
    """
    free, found = _Free(turn["start_ns"], turn["end_ns"]), list[Part]()
    for span in sorted(tree["spans"], key=lambda span: (_DEEPEST_FIRST.get(span["name"], 0), span["start_ns"])):
        if span["name"] in _DEEPEST_FIRST:
            found.append(Part(span["name"], free.take(span["start_ns"], span["end_ns"])))
    for span in (span for span in tree["spans"] if is_chat_span(span["name"])):
        found += _generation(free.take(span["start_ns"], span["end_ns"]), _engine(tree, span))
    claimed_ns = turn["start_ns"] + int(float(turn["attributes"].get(TURN_QUEUE_MS, 0)) * 1e6)
    found.append(Part("queue for a server", free.take(turn["start_ns"], claimed_ns)))
    merged = dict.fromkeys((part.name for part in found), 0.0)
    for part in found:
        merged[part.name] += part.ms
    total = [Part(name, ms) for name, ms in merged.items()] + [Part("unexplained", free.ms)]
    return sorted(total, key=lambda part: -part.ms)


class _Free:
    """The stretches of a turn's time, in ns, that nothing has taken yet."""

    def __init__(self, start_ns: int, end_ns: int) -> None:
        self._stretches = [(start_ns, end_ns)]

    @property
    def ms(self) -> float:
        return sum(end - start for start, end in self._stretches) / 1e6

    def take(self, start_ns: int, end_ns: int) -> float:
        """Take what is free between the two; ms."""
        before, left = self.ms, []
        for start, end in self._stretches:
            around = ((start, min(end, start_ns)), (max(start, end_ns), end))
            left += [(first, last) for first, last in around if first < last]
        self._stretches = left
        return before - self.ms


def _headline(turn: SpanNode) -> str:
    outcome = turn["attributes"].get(TURN_OUTCOME, "unfinished")
    code = f" ({turn['attributes'][ERROR_TYPE]})" if ERROR_TYPE in turn["attributes"] else ""
    first = f"; first text after {turn['attributes'][TTFV_MS]:.0f} ms" if TTFV_MS in turn["attributes"] else ""
    return f"{outcome}{code} after {_ms(turn):.0f} ms{first}"


def _attempt(attempt: SpanNode, route: SpanNode | None, engine: SpanNode | None) -> Iterator[str]:
    told = [_why(attempt, route), _recomputed(attempt, engine), _latencies(attempt, engine)]
    yield "; ".join(filter(None, told))
    if route and (elsewhere := _elsewhere(route)):
        yield elsewhere


def _why(attempt: SpanNode, route: SpanNode | None) -> str:
    place = {"to": attempt["attributes"].get(REPLICA, "a replica"), "since": "its replica"}
    if route is None:
        return f"answered by {place['to']}"
    place["since"] = route["attributes"].get(PIN_REPLICA, "its replica")
    return _WHY.get(str(route["attributes"].get(PLACEMENT)), "answered by {to}").format(**place)


def _recomputed(attempt: SpanNode, engine: SpanNode | None) -> str:
    prompt = attempt["attributes"].get(USAGE_INPUT_TOKENS)
    if prompt is None:
        return ""
    fresh = int(prompt) - int(attempt["attributes"].get(USAGE_CACHE_READ_TOKENS, 0))
    took = f", {_latency(engine, ENGINE_PREFILL_S):.0f} ms" if engine else ""
    return f"{fresh} of {prompt} prompt tokens recomputed{took}"


def _latencies(attempt: SpanNode, engine: SpanNode | None) -> str:
    outcome = attempt["attributes"].get(ATTEMPT_OUTCOME)
    if engine is None:
        error = attempt["attributes"].get(ERROR_TYPE, outcome)
        ended = f"the attempt {outcome} ({error}) after {_ms(attempt):.0f} ms" if outcome else ""
        return "the engine's span has not come" if outcome == AttemptOutcome.FINISHED else ended
    written = attempt["attributes"].get(USAGE_OUTPUT_TOKENS, "its")
    queue, decode = _latency(engine, ENGINE_QUEUE_S), _latency(engine, ENGINE_DECODE_S)
    return f"queue {queue:.0f} ms; {written} tokens written in {decode:.0f} ms"


def _elsewhere(route: SpanNode) -> str:
    candidates = _items(route, PLACEMENT_CANDIDATES)
    costs = dict(zip(candidates, _items(route, PLACEMENT_COSTS_MS), strict=False))
    if len(costs) < 2:
        return ""
    return "expected when it was placed: " + ", ".join(f"{name} {float(cost):.0f} ms" for name, cost in costs.items())


def _where(found: Sequence[Part]) -> str:
    return "where the time went: " + ", ".join(f"{part.name} {part.ms:.0f} ms" for part in found if part.ms >= 0.5)


def _generation(whole_ms: float, engine: SpanNode | None) -> Iterable[Part]:
    if engine is None:
        yield Part("attempt without the engine's span", whole_ms)
        return
    for name, key in (("engine's queue", ENGINE_QUEUE_S), ("prefill", ENGINE_PREFILL_S), ("decoding", ENGINE_DECODE_S)):
        took_ms = min(whole_ms, _latency(engine, key))
        whole_ms -= took_ms
        yield Part(name, took_ms)
    yield Part(_WAY, whole_ms)


def _engine(tree: TraceTree, attempt: SpanNode) -> SpanNode | None:
    below = (span for span in tree["spans"] if span["parent_id"] == attempt["span_id"])
    return next((span for span in below if span["name"] == LLM_REQUEST), None)


def _items(span: SpanNode, key: str) -> list[str | float]:
    value = span["attributes"].get(key, [])
    return value if isinstance(value, list) else [value]


def _latency(engine: SpanNode | None, key: str) -> float:
    """Milliseconds; the engine tells seconds."""
    return float(engine["attributes"].get(key, 0)) * 1000 if engine else 0.0


def _ms(span: SpanNode) -> float:
    return (span["end_ns"] - span["start_ns"]) / 1e6
