"""The workloads on real replicas: shorter thinking than people's, so that a conversation fits into a run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

from benchmarks.live.script import Script, Writer
from benchmarks.simulation.scenarios import largest, needed_blocks
from benchmarks.traffic import Shape

REPLICAS = 2
STEADY_BRANDS = 4
REPLY_TOKENS = 13  # of a guided reply, by `benchmarks.guided`


class Trouble(StrEnum):
    KILL = "kill"
    RESTART = "restart"  # killed, and started again at the same address
    DRAIN = "drain"  # taken out of service first, stopped later
    JOIN = "join"  # one more, loaded already, is made known to the arm


@dataclass(frozen=True)
class Workload:
    """`kv_demand`: what brands and an average moment's conversations need, in multiples of both caches; None: ample.

    Caches are empty at the start, and trouble comes in the middle. `processes`: how many of the arm stand side by side;
    the turns of a conversation go to them in turn.
    """

    name: str
    shape: Shape
    kv_demand: float | None = None
    trouble: Trouble | None = None
    processes: int = 1

    @property
    def replicas(self) -> int:
        """All that run, the one that joins later included."""
        return REPLICAS + (self.trouble is Trouble.JOIN)

    def blocks(self, writer: Writer) -> int | None:
        """Blocks of one replica's cache; the first seed's conversations decide for all seeds."""
        if self.kv_demand is None:
            return None
        talks = [script.talk for script in writer.scripts(self.shape, 1)]
        wanted = ceil(needed_blocks(talks, self.shape.seconds) / self.kv_demand / REPLICAS)
        return max(wanted, largest(talks))

    def scripts(self, writer: Writer, seed: int) -> list[Script]:
        return writer.scripts(self.shape, seed)


def workloads(seconds: float, rate: float) -> Mapping[str, Workload]:
    """By name. `rate`: conversations that begin a second."""
    many = Shape(rate, seconds, brands=40, think_median_s=4.0, reply_tokens=REPLY_TOKENS, replies_reused=False)
    few = replace(many, brands=STEADY_BRANDS)
    burst = replace(many, burst=(0.5 * seconds, 0.65 * seconds, 3.0))
    chosen = [
        Workload("steady", few),
        Workload("many-0.5", many, 0.5),
        Workload("many-1", many, 1.0),
        Workload("many-3", many, 3.0),
        Workload("burst", burst, 1.0),
        Workload("kill", few, trouble=Trouble.KILL),
        Workload("restart", few, trouble=Trouble.RESTART),
        Workload("drain", few, trouble=Trouble.DRAIN),
        Workload("scale", few, trouble=Trouble.JOIN),
        Workload("two-web", few, processes=2),
    ]
    return {workload.name: workload for workload in chosen}
