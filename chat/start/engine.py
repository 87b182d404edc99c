"""Which build of vLLM this checkout needs: `python -m chat.start.engine` prints cpu, gpu or none."""

from chat.settings import EngineKind, Settings, SettingsError, get_settings
from chat.start.machine import gpu_count


def engine_kind(settings: Settings) -> EngineKind:
    """Resolve `auto`: the GPU build where an NVIDIA GPU is found, else the CPU build."""
    if settings.engine != EngineKind.AUTO:
        return settings.engine
    return EngineKind.GPU if gpu_count() else EngineKind.CPU


def main() -> int:
    try:
        settings = get_settings()
    except SettingsError as error:
        print(f"Bad setting: {error}.")
        return 1
    print("none" if settings.runs_elsewhere else engine_kind(settings))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
