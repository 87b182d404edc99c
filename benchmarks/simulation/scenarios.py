"""The workloads of the comparison, for a fleet of any size, and one run of one arm over one of them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from benchmarks.simulation.arms import PEERS, Arm, TwoProcesses
from benchmarks.simulation.cost import Cost
from benchmarks.simulation.oracle import Oracle, pool
from benchmarks.simulation.ours import Ours, Pins
from benchmarks.simulation.replica import SimReplica
from benchmarks.simulation.world import Fault, Incident, World
from benchmarks.traffic import BLOCK_TOKENS, Conversation, Shape, cacheable_tokens, conversations
from benchmarks.turns import Served, Window, figures

AMPLE_BLOCKS = 1_000_000
BOOT_S = 20.0  # a killed replica is back at its address after so long
DRAIN_S = 60.0  # from the order to drain until the process stops

ARMS: Mapping[str, type[Arm]] = {arm.name: arm for arm in (*PEERS, Ours, Oracle)}


@dataclass(frozen=True)
class Scenario:
    """`kv_demand`: what all brands and the conversations of an average moment need, in multiples of all caches
    together; None for caches that never evict. `blocks` says the same outright. `processes`: how many routers stand
    side by side."""

    name: str
    shape: Shape
    replicas: int
    kv_demand: float | None = None
    faults: Sequence[Fault] = ()
    later: int = 0  # replicas that join on the way
    processes: int = 1
    blocks: int | None = None  # of one replica's cache
    warm: bool = False  # every replica has every brand's prefix before the first turn
    one_machine: bool = False  # all replicas share its cores; else each has a machine to itself

    @property
    def window(self) -> Window:
        """The first fifth fills the caches."""
        return Window(0.2 * self.shape.seconds, self.shape.seconds)


def scenarios(replicas: int, shape: Shape) -> list[Scenario]:
    """All workloads, `shape` being the many brands'; the faults happen in the middle."""
    few = replace(shape, brands=max(1, shape.brands // 10))
    burst = replace(shape, burst=(0.5 * shape.seconds, 0.65 * shape.seconds, 3.0))
    middle = shape.seconds / 2
    kill, boot = Fault(middle, Incident.KILL, 0), Fault(middle + BOOT_S, Incident.BOOT, 0)
    drain, stop = Fault(middle, Incident.DRAIN, 0), Fault(middle + DRAIN_S, Incident.STOP, 0)
    join = Fault(middle, Incident.JOIN, replicas)
    return [
        Scenario("steady", few, replicas, warm=True),
        *(Scenario(f"many brands, KV {demand:g}", shape, replicas, demand) for demand in (0.5, 1.0, 3.0)),
        Scenario("burst", burst, replicas, 1.0),
        Scenario("replica killed", shape, replicas, 0.5, [kill]),
        Scenario("restarted", shape, replicas, 0.5, [kill, boot]),
        Scenario("drain", shape, replicas, 0.5, [drain, stop]),
        Scenario("scale up", shape, replicas, 0.5, [join], later=ceil(replicas / 2)),
        Scenario("two processes", shape, replicas, 1.0, processes=2),
    ]


def capacity_blocks(scenario: Scenario, talks: Sequence[Conversation]) -> int:
    """Blocks of one replica's cache at the scenario's KV demand."""
    if scenario.blocks or scenario.kv_demand is None:
        return scenario.blocks or AMPLE_BLOCKS
    return max(
        largest(talks), ceil(needed_blocks(talks, scenario.shape.seconds) / scenario.kv_demand / scenario.replicas)
    )


def needed_blocks(talks: Sequence[Conversation], seconds: float) -> float:
    """Each brand's prefix once, and what the conversations of an average moment hold beyond it at their ends."""
    brands = {talk.brand: talk.brand_tokens for talk in talks}
    own = 0.0
    for talk in talks:
        alive_s = min(talk.due_s[-1], seconds) - talk.due_s[0]
        own += (talk.prompt_tokens[-1] - talk.brand_tokens) * alive_s / seconds
    return (sum(brands.values()) + own) / BLOCK_TOKENS


def largest(talks: Sequence[Conversation]) -> int:
    """Blocks that the longest turn needs, twice: a cache that holds less serves nobody."""
    return 2 * ceil(
        max(p + r for t in talks for p, r in zip(t.prompt_tokens, t.reply_tokens, strict=True)) / BLOCK_TOKENS
    )


def simulate(
    scenario: Scenario, arm: str, seed: int, cost: Cost, talks: Sequence[Conversation] | None = None
) -> list[Served]:
    """One run; the same seed brings the same turns to every arm."""
    talks = talks if talks is not None else conversations(scenario.shape, seed)
    blocks = capacity_blocks(scenario, talks)
    replicas = [SimReplica(number, blocks, cost) for number in range(scenario.replicas + scenario.later)]
    if scenario.one_machine:
        share_machine(replicas)
    if ARMS[arm] is Oracle:
        pool(replicas, talks)
    if scenario.warm:
        _warm(replicas, talks)
    router = _router(scenario, ARMS[arm], replicas, random.Random(seed))
    return World(replicas, router, talks, _faults(scenario)).run()


def measure(scenario: Scenario, arm: str, seed: int, cost: Cost) -> dict[str, Any]:
    """The figures of one run."""
    talks = conversations(scenario.shape, seed)
    warm = {talk.brand for talk in talks} if scenario.warm else ()
    rows = simulate(scenario, arm, seed, cost, talks)
    return figures(rows, cacheable_tokens(talks, warm), scenario.replicas, scenario.window)


def share_machine(replicas: Sequence[SimReplica]) -> None:
    for replica in replicas:
        replica.beside = [other for other in replicas if other is not replica]


def _router(scenario: Scenario, of: type[Arm], replicas: Sequence[SimReplica], chance: random.Random) -> Arm:
    members = range(scenario.replicas)
    if scenario.processes == 1 or of is Oracle:
        return of(replicas, members, chance)
    pins: Pins = {}
    make: Callable[..., Arm] = (lambda *args: Ours(*args, pins=pins)) if of is Ours else of
    return TwoProcesses(replicas, members, chance, make)


def _faults(scenario: Scenario) -> list[Fault]:
    joining = [f for f in scenario.faults if f.incident is Incident.JOIN]
    others = [f for f in scenario.faults if f.incident is not Incident.JOIN]
    return others + [replace(f, replica=f.replica + extra) for f in joining for extra in range(scenario.later)]


def _warm(replicas: Sequence[SimReplica], talks: Sequence[Conversation]) -> None:
    for brand, tokens in {talk.brand: talk.brand_tokens for talk in talks}.items():
        for cache in {id(replica.cache): replica.cache for replica in replicas}.values():
            cache.hold((brand, -1), tokens // BLOCK_TOKENS)
            cache.release((brand, -1))
