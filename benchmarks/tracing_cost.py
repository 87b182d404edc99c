"""What tracing a turn costs: `python -m benchmarks.tracing_cost`.

Writes the spans and timed events of a turn as the application does, into the built-in store on SQLite, with no
collector, with one that takes everything, and with one that never answers. CPU of the whole process, exporting threads
included; then how long the turn's own thread was held up, which is what a customer could feel.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT
from opentelemetry.trace import use_span

from telemetry import Telemetry, TelemetryConfig, names
from telemetry.identity import turn_parent
from telemetry.masking import find
from telemetry.names import ATTEMPT_OUTCOME, AttemptOutcome
from telemetry.propagation import admit

SPANS_A_TURN = 8
OF_THE_TURN = (names.CLAIMED, names.FIRST_TEXT, names.REPLY_DONE)
OF_THE_ATTEMPT = (names.REQUEST, names.FIRST_TOKEN, names.TEMPLATE_KNOWN, names.VALIDATED, names.LOOKUP, names.RENDERED)
MESSAGE = "where is my order 10234? you can write to kim@example.com"


@dataclass(frozen=True)
class Cost:
    """`held_ms`: how long a turn's spans held up its own thread, 99th percentile."""

    cpu_ms: float
    held_ms: float
    dropped: float


def play_turn(telemetry: Telemetry, turn_id: str) -> None:
    """The spans of one turn: turn, store, assemble, route, chat, commit, settle, paint, and its timed events."""
    traceparent, began_ns = admit(None, trusted=False), time.time_ns()
    turn = telemetry.start_turn(traceparent, "cnv_1", turn_id, start_ns=began_ns, attributes={names.SITE: "demo"})
    with use_span(turn, end_on_exit=True):
        turn.add_event(names.MASK, {names.MASK_KINDS: sorted({found.kind for found in find(MESSAGE)})})
        for event in OF_THE_TURN:
            turn.add_event(event)
        for name in (names.STORE, names.ASSEMBLE, names.ROUTE):
            with telemetry.tracer.start_as_current_span(name) as span:
                span.set_attributes({names.PLACEMENT: "pinned", names.PLACEMENT_CANDIDATES: ("r0", "r1")})
        attempt = telemetry.start_attempt(turn, turn_id, 1, "pindesk", {names.REPLICA: "r0", names.BOOT_ID: "1"})
        for event in OF_THE_ATTEMPT:
            attempt.add_event(event)
        used = {names.USAGE_INPUT_TOKENS: 900, names.USAGE_CACHE_READ_TOKENS: 864, names.USAGE_OUTPUT_TOKENS: 14}
        attempt.set_attributes(used | {ATTEMPT_OUTCOME: AttemptOutcome.FINISHED})
        attempt.end()
        for name in (names.COMMIT, names.SETTLE):
            with telemetry.tracer.start_as_current_span(name):
                pass
    telemetry.record(names.PAINT, turn_parent(traceparent, turn_id), began_ns, time.time_ns())


async def cost(turns: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        telemetry = Telemetry(TelemetryConfig(f"sqlite:///{Path(folder) / 'traces.db'}", receiver_port=None))
        await telemetry.open()
        play_turn(telemetry, "trn_first")
        began_s, held_ms = time.process_time(), []
        for index in range(turns):
            since_s = time.perf_counter()
            play_turn(telemetry, f"trn_{index}")
            held_ms.append((time.perf_counter() - since_s) * 1000)
            await asyncio.sleep(0.002)
        await telemetry.close()
        cpu_ms = (time.process_time() - began_s) * 1000 / turns
        dropped = sum(
            sample.value
            for family in telemetry.metrics.dropped_spans.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )
        return Cost(cpu_ms, statistics.quantiles(held_ms, n=100)[-1], dropped)


@contextmanager
def collector(answers: bool) -> Iterator[None]:
    """A collector on a free port that takes everything, or accepts connections and never answers."""
    silence = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if not answers:
                silence.wait()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= {
        OTEL_EXPORTER_OTLP_ENDPOINT: f"http://127.0.0.1:{server.server_port}",
        OTEL_EXPORTER_OTLP_TIMEOUT: "2",
    }
    try:
        yield
    finally:
        silence.set()
        server.shutdown()
        del os.environ[OTEL_EXPORTER_OTLP_ENDPOINT], os.environ[OTEL_EXPORTER_OTLP_TIMEOUT]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    turns = parser.parse_args().turns
    print(f"{turns} turns of {SPANS_A_TURN} spans, each message searched for personal data\n")
    print("| collector | CPU a turn | turn held up, p99 | spans dropped |\n|---|---|---|---|")
    print(_row("none", asyncio.run(cost(turns))))
    for name, answers in (("takes everything", True), ("never answers", False)):
        with collector(answers):
            print(_row(name, asyncio.run(cost(turns))))


def _row(name: str, seen: Cost) -> str:
    return f"| {name} | {seen.cpu_ms:.2f} ms | {seen.held_ms:.2f} ms | {seen.dropped:.0f} |"


if __name__ == "__main__":
    main()
