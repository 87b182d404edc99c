"""The command line of one vLLM server: a pure function of its configuration.

What each flag is for was tried out on vLLM 0.32; the console script of its CPU build does not start, the module does.
"""

import json
from dataclasses import dataclass
from pathlib import Path

SERVED_MODEL = "pindesk"

# The prefix is reused in whole blocks: the CPU default of 128 tokens would throw away most of a short turn.
BLOCK_TOKENS = 32

# Above the client's own 15 s, so that the client closes idle connections first and never reuses a dead one.
KEEP_ALIVE_S = 75


@dataclass(frozen=True)
class ReplicaConfig:
    """One replica. `model` is a folder or a name; `kv_cache_gib` counts on the CPU only, the GPU takes what is free.

    `otlp_endpoint` is the full URL of the trace receiver (`.../v1/traces`) or None; `engine_args` come last and win.
    """

    id: str
    model: str
    port: int
    python: Path
    cpu: bool
    host: str = "127.0.0.1"
    max_model_len: int = 4096
    kv_cache_gib: int = 1
    otlp_endpoint: str | None = None
    shutdown_timeout_s: int = 30
    engine_args: tuple[str, ...] = ()


def command(config: ReplicaConfig) -> tuple[list[str], dict[str, str]]:
    """(argv, what to add to the environment); to be exec'd, so that signals reach vLLM itself."""
    module = [str(config.python), "-m", "vllm.entrypoints.openai.api_server"]
    argv = [*module, *_serving(config), *_caching(), *_guiding(), *_tracing(config), *config.engine_args]
    return argv, _environment(config)


def _serving(config: ReplicaConfig) -> list[str]:
    flags = ["--model", config.model, "--served-model-name", SERVED_MODEL]
    flags += ["--host", config.host, "--port", str(config.port)]
    flags += ["--max-model-len", str(config.max_model_len)]
    flags += ["--shutdown-timeout", str(config.shutdown_timeout_s)]
    # Compiling buys a small model on the CPU nothing and costs a minute of start.
    return [*flags, "--enforce-eager"] if config.cpu else flags


def _caching() -> list[str]:
    flags = ["--enable-prefix-caching", "--block-size", str(BLOCK_TOKENS), "--enable-prompt-tokens-details"]
    return [*flags, "--scheduling-policy", "priority"]


def _guiding() -> list[str]:
    # With blanks allowed a weak model writes nothing but blanks.
    return ["--structured-outputs-config", json.dumps({"backend": "xgrammar", "disable_any_whitespace": True})]


def _tracing(config: ReplicaConfig) -> list[str]:
    return ["--otlp-traces-endpoint", config.otlp_endpoint] if config.otlp_endpoint else []


def _environment(config: ReplicaConfig) -> dict[str, str]:
    env = {"VLLM_NO_USAGE_STATS": "1", "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": str(KEEP_ALIVE_S)}
    if Path(config.model).is_dir():
        env["HF_HUB_OFFLINE"] = "1"
    if config.cpu:
        env |= {"VLLM_CPU_KVCACHE_SPACE": str(config.kv_cache_gib)}
        env |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
        # The engine computes in its own process. As the CPU's default a worker's process spins for a second after every
        # step and takes a core from everybody: 0.5 instead of 0.17 s of CPU a reply.
        env |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    if config.otlp_endpoint:
        env |= {"OTEL_SERVICE_NAME": config.id, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}
        # A span arrives within the second that the trace view promises, not after the default five.
        env |= {"OTEL_BSP_SCHEDULE_DELAY": "300"}
    return env
