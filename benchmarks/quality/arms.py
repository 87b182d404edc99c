"""The ways to serve one model that are compared: what is started, and how a reply is asked for."""

from dataclasses import dataclass
from pathlib import Path

from backend.replica import ReplicaConfig, command

SERVERS = 2
"""Every arm has two servers of one thread each, so that all have the same two cores."""


@dataclass(frozen=True)
class Arm:
    """`is_guided`: by the pack's schema, and the reply is whole when its slots have closed. `is_pinned`: a
    conversation stays on its server, else servers take turns. `flags` are vLLM's; None: served by transformers.
    """

    name: str
    title: str
    is_guided: bool
    is_pinned: bool
    flags: tuple[str, ...] | None = ()


_UNCACHED = ("--no-enable-prefix-caching",)
ARMS = {
    arm.name: arm
    for arm in (
        Arm("transformers", "transformers", is_guided=False, is_pinned=False, flags=None),
        Arm("plain", "vLLM, plain", is_guided=False, is_pinned=False, flags=_UNCACHED),
        Arm("prefix", "vLLM, prefix caching", is_guided=False, is_pinned=False),
        Arm("ours", "ours: guided JSON, template fill, pinned", is_guided=True, is_pinned=True),
    )
}


def launch(arm: Arm, model: Path, port: int, python: Path, *, is_cpu: bool) -> tuple[list[str], dict[str, str]]:
    """(argv, what to add to the environment) of one server."""
    if arm.flags is None:
        module = "benchmarks.quality.transformers_server"
        return [str(python), "-m", module, str(model), str(port)], {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return command(
        ReplicaConfig(id=arm.name, model=str(model), port=port, python=python, cpu=is_cpu, engine_args=arm.flags)
    )
