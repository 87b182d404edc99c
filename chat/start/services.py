"""What the launcher waits for: each process of the Procfile and each replica that runs elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from chat.settings import Settings
from chat.start.health import Health, Phase, Probe
from chat.start.procfile import Process
from chat.start.supervisor import Program
from chat.start.supervisord_conf import log_file
from chat.start.watch import Watch


@dataclass(frozen=True)
class Service:
    """`name` is the Procfile's; `health` takes what supervisord says of the process (None where it runs elsewhere)."""

    name: str
    watch: Watch
    health: Callable[[Program | None], Health]


def list_services(settings: Settings, processes: list[Process], probe: Probe) -> list[Service]:
    """Replicas first, because the others wait for them."""
    replicas = [_elsewhere(settings, index, probe) for index in range(len(settings.replicas))]
    replicas += [_replica(settings, process, probe) for process in processes if process.replica is not None]
    others = [process for process in processes if process.replica is None]
    return replicas + [_surface(settings, process, probe, replicas) for process in others]


def _elsewhere(settings: Settings, index: int, probe: Probe) -> Service:
    url = settings.replicas[index]
    watch = Watch(f"replica {index + 1} of {len(settings.replicas)} at {url}", log="")
    return Service(url, watch, lambda program: probe.replica(url))


def _replica(settings: Settings, process: Process, probe: Probe) -> Service:
    label = f"replica {process.replica + 1} of {settings.replica_count}"
    url = settings.replica_urls[process.replica]
    watch = Watch(label, str(log_file(settings, process.name)))
    return Service(process.name, watch, lambda program: probe.replica(url))


def _surface(settings: Settings, process: Process, probe: Probe, replicas: list[Service]) -> Service:
    health = partial(_answering, probe, replicas) if process.name == "web" else _running
    return Service(process.name, Watch(process.name, str(log_file(settings, process.name))), health)


def _answering(probe: Probe, replicas: list[Service], program: Program | None) -> Health:
    health = probe.web()
    if health.phase == Phase.WARMING and not all(replica.watch.ready for replica in replicas):
        return Health(Phase.WARMING, "waiting for the replicas")
    return health


def _running(program: Program | None) -> Health:
    return Health(Phase.READY if program is not None and program.state == "RUNNING" else Phase.LOADING)
