"""What must hold before anything is started; each failure is one sentence with its remedy."""

from pathlib import Path

from chat.settings import EngineKind, Settings
from chat.start.engine import engine_kind
from chat.start.errors import StartError
from chat.start.machine import GIB, free_disk_bytes, free_memory_bytes, port_is_free

# Measured on two cores: a CPU replica of the starter model with 1 GiB of KV cache takes 2.1 GB (proportional set size);
# half a GiB stands above that for long prompts.
_REPLICA_BYTES = int(1.5 * GIB)
_WEB_BYTES = 1 * GIB
_DISK_BYTES = 1 * GIB


def check_machine(settings: Settings) -> None:
    """Raise `StartError` for the first thing that would keep Pindesk from running."""
    _check_ports(settings)
    _check_disk(settings)
    if not settings.runs_elsewhere:
        check_model(settings.model)
        _check_engine(settings.engine_python)
    _check_memory(settings)


def _check_ports(settings: Settings) -> None:
    ports = {settings.port: (settings.host, "PINDESK_PORT"), settings.otlp_port: ("127.0.0.1", "PINDESK_OTLP_PORT")}
    if not settings.runs_elsewhere:
        first = settings.replica_port
        ports |= dict.fromkeys(range(first, first + settings.replica_count), ("127.0.0.1", "PINDESK_REPLICA_PORT"))
    for port, (host, name) in ports.items():
        if not port_is_free(host, port):
            raise StartError(f"Port {port} on {host} is taken: stop what listens there or set {name} to a free one.")


def _check_disk(settings: Settings) -> None:
    free = free_disk_bytes(settings.var_dir)
    if free < _DISK_BYTES:
        raise StartError(
            f"{_DISK_BYTES / GIB:.0f} GiB of disk are needed and {free / GIB:.1f} GiB are free for {settings.var_dir}: "
            "free some or set PINDESK_VAR_DIR to a folder on a larger disk."
        )


def check_model(model: str) -> None:
    """Raise `StartError` when `model` is a folder's path but no model is there; any other name is left to vLLM."""
    folder = Path(model).expanduser()
    if not folder.exists():
        if folder.is_absolute() or model.startswith(".") or folder.parent.is_dir():
            raise StartError(f"The model folder {model} is missing: set PINDESK_MODEL to a model's folder or name.")
        return
    missing = [name for name in ("config.json", "tokenizer_config.json") if not (folder / name).is_file()]
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        missing.append("*.safetensors")
    if missing:
        raise StartError(
            f"The model folder {model} lacks {', '.join(missing)}: set PINDESK_MODEL to a whole model in that layout."
        )


def _check_engine(python: Path) -> None:
    if not python.is_file():
        raise StartError(f"The engine's environment has no {python}: run `make engine` or set PINDESK_ENGINE_PYTHON.")


def needed_memory_bytes(settings: Settings) -> int:
    """Memory for `web` and for the replicas that run on this machine's CPU; what a GPU replica takes is not counted."""
    if settings.runs_elsewhere or engine_kind(settings) == EngineKind.GPU:
        return _WEB_BYTES
    weights = sum(file.stat().st_size for file in Path(settings.model).glob("*.safetensors"))
    return _WEB_BYTES + settings.replica_count * (_REPLICA_BYTES + settings.kv_cache_gib * GIB + weights)


def _check_memory(settings: Settings) -> None:
    needed, free = needed_memory_bytes(settings), free_memory_bytes()
    if free < needed:
        raise StartError(
            f"{needed / GIB:.1f} GiB of memory are needed and {free / GIB:.1f} GiB are free: close other programs, "
            "set PINDESK_REPLICA_COUNT=1, or use replicas elsewhere with PINDESK_REPLICAS."
        )
