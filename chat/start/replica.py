"""One line of the Procfile: `python -m chat.start.replica N` becomes the N-th vLLM server."""

import os
import sys

from backend.replica import ReplicaConfig, command
from chat.settings import EngineKind, Settings, get_settings
from chat.start.engine import engine_kind
from chat.start.machine import gpu_count

# vLLM's own default share of a GPU's memory, divided when replicas have to share one.
_GPU_MEMORY_SHARE = 0.9

CPU_NICENESS = 10
"""A replica on the CPU keeps a core busy as it computes: it gives way to `web`, which wants a moment now and then."""


def replica_id(index: int) -> str:
    """The name that `web` gives to the replica at this place of its list; the engine's spans carry it."""
    return f"r{index}"


def replica_config(settings: Settings, index: int) -> ReplicaConfig:
    """Configuration of the `index`-th replica on this machine, counted from 0."""
    kind = engine_kind(settings)
    shared = _gpu_share(settings.replica_count, gpu_count()) if kind == EngineKind.GPU else ()
    return ReplicaConfig(
        id=replica_id(index),
        model=settings.model,
        port=settings.replica_port + index,
        python=settings.engine_python,
        cpu=kind == EngineKind.CPU,
        max_model_len=settings.max_model_len,
        kv_cache_gib=settings.kv_cache_gib,
        otlp_endpoint=f"http://127.0.0.1:{settings.otlp_port}/v1/traces",
        shutdown_timeout_s=int(settings.turn_timeout.total_seconds()),
        engine_args=(*shared, *settings.engine_argv),
    )


def _gpu_share(replicas: int, gpus: int) -> tuple[str, ...]:
    replicas_per_gpu = -(-replicas // max(gpus, 1))
    if replicas_per_gpu == 1:
        return ()
    return ("--gpu-memory-utilization", f"{_GPU_MEMORY_SHARE / replicas_per_gpu:.2f}")


def replica_environment(index: int, kind: EngineKind) -> dict[str, str]:
    """Where a replica runs: replicas go to the GPUs in turn, unless the user has placed them."""
    gpus = gpu_count() if kind == EngineKind.GPU and "CUDA_VISIBLE_DEVICES" not in os.environ else 0
    return {"CUDA_VISIBLE_DEVICES": str(index % gpus)} if gpus > 1 else {}


def main() -> None:
    settings, index = get_settings(), int(sys.argv[1])
    if engine_kind(settings) == EngineKind.CPU:
        os.nice(CPU_NICENESS)
    argv, env = command(replica_config(settings, index))
    os.execve(argv[0], argv, os.environ | env | replica_environment(index, engine_kind(settings)))


if __name__ == "__main__":
    main()
