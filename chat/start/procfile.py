"""The Procfile: the one list of processes."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from chat.settings import Settings
from chat.start.errors import StartError

_LINE = re.compile(r"(?P<name>[A-Za-z][\w-]*):\s*(?P<command>\S.*)")
_REPLICA = re.compile(r"replica-(?P<index>\d+)")


@dataclass(frozen=True)
class Process:
    """One line of the Procfile; `replica` is the replica's index, None for every other process."""

    name: str
    command: str

    @property
    def replica(self) -> int | None:
        match = _REPLICA.fullmatch(self.name)
        return int(match["index"]) if match else None


def read_procfile(path: Path) -> list[Process]:
    """Return the processes in the file's order; raises `StartError` when the file is missing or a line is malformed."""
    if not path.is_file():
        raise StartError(f"There is no {path} here: start Pindesk in the folder of its checkout.")
    lines = enumerate(path.read_text().splitlines(), start=1)
    return [_parse(path, number, line) for number, line in lines if line.strip() and not line.startswith("#")]


def _parse(path: Path, number: int, line: str) -> Process:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise StartError(f"{path}, line {number}: write it as `name: command`.")
    try:
        shlex.split(match["command"])
    except ValueError as error:
        raise StartError(f"{path}, line {number}: {error}.") from error
    return Process(match["name"], match["command"])


def select_processes(processes: list[Process], settings: Settings) -> list[Process]:
    """Leave out the replicas that nobody asked for; raises `StartError` when more are asked for than are listed."""
    wanted = 0 if settings.runs_elsewhere else settings.replica_count
    chosen = [process for process in processes if process.replica is None or process.replica < wanted]
    if sum(process.replica is not None for process in chosen) < wanted:
        raise StartError(f"PINDESK_REPLICA_COUNT is {wanted}: add a line for each further replica to the Procfile.")
    return chosen
