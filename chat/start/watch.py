"""Turns what is observed of a service into the lines that a person reads, one for each change."""

from chat.start.errors import StartError
from chat.start.health import Health, Phase
from chat.start.supervisor import Program

_DEATHS_BEFORE_GIVING_UP = 3


class Watch:
    """One service from its first start on: a process of ours, or a replica that runs elsewhere."""

    def __init__(self, label: str, log: str) -> None:
        self.label = label
        self._log = log
        self._pid = 0
        self._deaths = 0
        self._told = ""
        self._served = False
        self.ready = False

    def observe(self, health: Health, program: Program | None) -> str | None:
        """Return the line to print, or None while nothing has changed.

        `program` is None for a replica elsewhere. Raises `StartError` when the process has died three times without
        ever having been ready; one that has served before is tried again for ever.
        """
        self._count_death(program)
        self.ready = health.phase == Phase.READY
        if self.ready:
            self._deaths, self._served = 0, True
        if self._deaths >= _DEATHS_BEFORE_GIVING_UP and not self._served:
            raise StartError(f"{self.label} keeps failing: its log, {self._log}, says why.")
        told = self._describe(health, program)
        if told == self._told:
            return None
        self._told = told
        return f"{self.label}: {told}"

    def _count_death(self, program: Program | None) -> None:
        if program is None or program.state in ("STOPPING", "STOPPED"):
            self._pid = 0
            return
        if self._pid and program.pid != self._pid:
            self._deaths += 1
        self._pid = program.pid

    def _describe(self, health: Health, program: Program | None) -> str:
        if program is not None and program.state in ("STOPPING", "STOPPED"):
            return "stopped"
        if self.ready:
            return "ready"
        if self._deaths:
            return f"died, starting again ({self._log})"
        if health.phase == Phase.WARMING:
            return health.reason or "not ready yet"
        return "loading" if program is not None else "waiting for its answer"
