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
    elsewhere = [_elsewhere(settings, index, probe) for index in range(len(settings.replicas))]
    return elsewhere + [_ours(settings, process, probe) for process in processes]


def _elsewhere(settings: Settings, index: int, probe: Probe) -> Service:
    url = settings.replicas[index]
    watch = Watch(f"replica {index + 1} of {len(settings.replicas)} at {url}", log="")
    return Service(url, watch, lambda program: probe.replica(url))


def _ours(settings: Settings, process: Process, probe: Probe) -> Service:
    log = str(log_file(settings, process.name))
    if process.replica is not None:
        label = f"replica {process.replica + 1} of {settings.replica_count}"
        url = settings.replica_urls[process.replica]
        return Service(process.name, Watch(label, log), lambda program: probe.replica(url))
    health = partial(_answering, probe) if process.name == "web" else _running
    return Service(process.name, Watch(process.name, log), health)


def _answering(probe: Probe, program: Program | None) -> Health:
    return probe.web()


def _running(program: Program | None) -> Health:
    return Health(Phase.READY if program is not None and program.state == "RUNNING" else Phase.LOADING)
