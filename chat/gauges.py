"""The gauges that are looked up when somebody asks for the metrics: nothing keeps them in between."""

import structlog

from backend.placement import ReplicaState, Snapshot
from chat.services import Services
from sessions import Unavailable
from telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


async def refresh(services: Services) -> None:
    """Bring replicas, pins and the queue of turns up to date; without the database, what it knows stays out."""
    metrics = services.telemetry.metrics
    _set_replicas(metrics, services.replicas.snapshot())
    try:
        async with services.store.read() as repo:
            pins, waiting = await repo.conversations.pins_by_replica(), await repo.turns.waiting()
    except Unavailable:
        log.warning("store_unavailable", loop="metrics")
        return
    metrics.turns_waiting.set(waiting)
    metrics.replica_pins.clear()
    for replica_id, count in pins.items():
        metrics.replica_pins.labels(replica_id).set(count)


def _set_replicas(metrics: Metrics, replicas: list[Snapshot]) -> None:
    for gauge in (metrics.replica_state, metrics.replica_inflight, metrics.replica_waiting, metrics.replica_kv_usage):
        gauge.clear()
    for replica in replicas:
        for state in ReplicaState:
            metrics.replica_state.labels(replica.id, state).set(replica.state == state)
        metrics.replica_inflight.labels(replica.id).set(replica.inflight)
        metrics.replica_waiting.labels(replica.id).set(replica.waiting)
        metrics.replica_kv_usage.labels(replica.id).set(replica.kv_usage)
