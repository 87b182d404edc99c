"""Puts the parts together: one `Telemetry` an application, nothing global but the log configuration."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from time import monotonic, time_ns

import structlog
from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import (
    OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_SERVICE_NAME,
)
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from sqlalchemy.exc import SQLAlchemyError

from telemetry.allow import AllowedExporter
from telemetry.identity import ChosenIds
from telemetry.listener import Listener, PortTaken
from telemetry.metrics import Metrics
from telemetry.pipeline import BoundedProcessor, ConversationIds, Drop, OnDrop
from telemetry.receiver import receiver_app
from telemetry.record import SpanRecord, from_span, to_span
from telemetry.sampling import Sampling
from telemetry.spans import TurnTracer
from telemetry.store import SpanStore
from telemetry.tree import TraceTree, build_tree

STORE_DELAY_MS = 200  # a trace is to be read within a second of its reply
STORE_CAPACITY = 8192  # some 1,000 turns
POLL_S = 0.05
LISTEN_AGAIN_S = 5
EXPIRE_EVERY_S = 600
SETTLED_S = 120  # the engine's span and the page's paint have come by then
CLOSE_TIMEOUT_S = 2.0

_log = structlog.get_logger("telemetry")


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """`receiver_port` 0 takes a free port, None starts no receiver."""

    database_url: str
    receiver_port: int | None = 4319
    receiver_host: str = "127.0.0.1"
    retention: timedelta = timedelta(days=7)
    sampling: Sampling = field(default_factory=Sampling)
    service: str = "web"


class Telemetry(TurnTracer):
    """Tracer, metrics, trace store and receiver of one application; usable from `open` to `close`."""

    def __init__(self, config: TelemetryConfig) -> None:
        self.config = config
        self.metrics = Metrics()
        self.store = SpanStore(config.database_url)
        self.receiver = _receiver(config, self._receive)
        self._to_store = BoundedProcessor(
            _StoreExporter(self.store), capacity=STORE_CAPACITY, delay_ms=STORE_DELAY_MS, on_drop=self._dropped("store")
        )
        self._to_collector = _collector(self._dropped("otlp"))
        self._processors = [self._to_store, *self._to_collector]
        self._upkeep: asyncio.Task[None] | None = None
        self._thinned_ns = 0
        super().__init__(_provider(config.service, self._processors).get_tracer("pindesk"))

    async def open(self) -> None:
        """Prepare the store, start the receiver and the upkeep."""
        await asyncio.to_thread(self.store.open)
        self._listen()
        self._upkeep = asyncio.create_task(self._keep_up(), name="telemetry-upkeep")

    async def close(self) -> None:
        """Stop receiving and deliver what is left; a dead collector costs at most two seconds."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await self._upkeep
        if self.receiver is not None:
            await asyncio.to_thread(self.receiver.stop)
        await asyncio.gather(*(asyncio.to_thread(each.close, CLOSE_TIMEOUT_S) for each in self._processors))
        await asyncio.to_thread(self.store.close)

    async def trace(self, trace_id: str, turn_id: str | None = None, wait_s: float = 0.5) -> TraceTree:
        """The tree of a turn; waits up to `wait_s` for it to be complete, since the engine's span comes by itself."""
        deadline = monotonic() + wait_s
        while True:
            await asyncio.to_thread(self._to_store.force_flush)
            tree = build_tree(await self.store.trace(trace_id), turn_id)
            if tree["complete"] or monotonic() >= deadline:
                return tree
            await asyncio.sleep(POLL_S)

    async def known(self, span_ids: Sequence[str]) -> set[str]:
        """Those of the spans that are in the store."""
        return await asyncio.to_thread(self.store.known, span_ids)

    async def forget(self, trace_ids: Sequence[str]) -> None:
        """Delete traces, as when their conversation is deleted."""
        await asyncio.to_thread(self._to_store.force_flush)
        await asyncio.to_thread(self.store.forget, trace_ids)

    def _receive(self, records: Sequence[SpanRecord]) -> None:
        """Keep what replicas sent, and pass it on to where our own spans go."""
        self.store.save(records)
        for processor, record in product(self._to_collector, records):
            processor.on_end(to_span(record))
        self.metrics.received_spans.inc(len(records))

    def _dropped(self, destination: str) -> OnDrop:
        def count(reason: Drop, spans: int) -> None:
            self.metrics.dropped_spans.labels(destination, reason).inc(spans)

        return count

    def _listen(self) -> None:
        if self.receiver is None or self.receiver.is_running:
            return
        try:
            self.receiver.start()
        except PortTaken as error:
            # Of several processes on one machine the first receives for all: they share the store.
            _log.info("receiver_elsewhere", address=str(error))

    async def _keep_up(self) -> None:
        """Take the receiver over when the process that had it is gone, and delete what is old or dull."""
        expired_at = -EXPIRE_EVERY_S
        while True:
            self._listen()
            if monotonic() - expired_at >= EXPIRE_EVERY_S:
                expired_at = monotonic()
                await self._expire()
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _expire(self) -> None:
        until_ns = time_ns() - SETTLED_S * 10**9
        try:
            gone = await asyncio.to_thread(self.store.expire, self.config.retention)
            if self.config.sampling.share < 1:
                await asyncio.to_thread(self.store.thin, self.config.sampling, self._thinned_ns, until_ns)
                self._thinned_ns = until_ns
        except SQLAlchemyError as error:
            _log.warning("spans_not_expired", error_type=type(error).__name__)
        else:
            _log.debug("spans_expired", count=gone)


class _StoreExporter(SpanExporter):
    """Writes this process' spans to the built-in store; what it raises, the processor counts."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._store.save([from_span(span) for span in spans])
        return SpanExportResult.SUCCESS


def _receiver(config: TelemetryConfig, save: Callable[[Sequence[SpanRecord]], None]) -> Listener | None:
    if config.receiver_port is None:
        return None
    return Listener(receiver_app(save), config.receiver_host, config.receiver_port)


def _provider(service: str, processors: Sequence[BoundedProcessor]) -> TracerProvider:
    """Every turn is traced: a choice is made where traces are kept, once their outcome is known."""
    provider = TracerProvider(
        sampler=ALWAYS_ON, resource=_resource(service), shutdown_on_exit=False, id_generator=ChosenIds()
    )
    provider.add_span_processor(ConversationIds())
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def _resource(service: str) -> Resource:
    return Resource.create({SERVICE_NAME: os.environ.get(OTEL_SERVICE_NAME, service)})


def _collector(on_drop: OnDrop) -> list[BoundedProcessor]:
    """The collector that the standard `OTEL_*` variables name, if they name one."""
    named = os.environ.get(OTEL_EXPORTER_OTLP_ENDPOINT) or os.environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
    if not named or os.environ.get(OTEL_TRACES_EXPORTER) == "none":
        return []
    capacity = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE, "2048"))
    exporter = AllowedExporter(OTLPSpanExporter())
    return [BoundedProcessor(exporter, capacity=capacity, delay_ms=None, on_drop=on_drop)]
