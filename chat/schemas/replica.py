"""Replicas as the operator sees them."""

from pydantic import BaseModel

from backend.placement import ReplicaState


class ReplicaOut(BaseModel):
    """`kv_usage` is the used share of the KV cache, 0 to 1; `boot_id` is null before the first answer."""

    id: str
    url: str
    state: ReplicaState
    boot_id: str | None
    pins: int
    inflight: int
    waiting: int
    kv_usage: float
