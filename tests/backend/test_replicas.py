import asyncio

import pytest

from backend.errors import NotReady, Outcome, UnknownReplica
from backend.member import Replica
from backend.placement import Ahead, Pin, Placement, ReplicaState
from backend.replicas import OnBoot, Replicas
from tests.backend.conftest import INTERVAL_S, quick_probe, until
from tests.scripted_engine import ScriptedEngine

READY, SUSPECT, DOWN = ReplicaState.READY, ReplicaState.SUSPECT, ReplicaState.DOWN


def watch(*engines: ScriptedEngine, on_boot: OnBoot | None = None) -> Replicas:
    return Replicas([engine.url for engine in engines], on_boot, INTERVAL_S, quick_probe())


def states(replicas: Replicas) -> list[ReplicaState]:
    return [snapshot.state for snapshot in replicas.snapshot()]


async def test_a_replica_is_ready_only_after_its_warm_up(scripted: ScriptedEngine) -> None:
    warmed, go_on = [], asyncio.Event()

    async def warm(replica: Replica) -> None:
        warmed.append(replica)
        await go_on.wait()

    async with watch(scripted, on_boot=warm) as replicas:
        assert states(replicas) == [ReplicaState.STARTING]
        await until(lambda: warmed)
        assert states(replicas) == [ReplicaState.WARMING]
        assert replicas.served() == {"r0": (scripted.url, "pindesk")}, "the warm-up itself must reach it"
        go_on.set()
        await replicas.wait_ready(20)
        assert warmed == [Replica("r0", scripted.url)]
        assert replicas.snapshot()[0].boot_id == scripted.boot_id


async def test_a_warm_up_that_raises_is_tried_again(scripted: ScriptedEngine) -> None:
    attempts = []

    async def warm(replica: Replica) -> None:
        attempts.append(replicas.snapshot()[0].state)
        if len(attempts) < 3:
            raise ValueError("not yet")

    async with watch(scripted, on_boot=warm) as replicas:
        await replicas.wait_ready(20)
    assert attempts == [ReplicaState.WARMING] * 3


async def test_another_boot_is_warmed_again_and_known_as_another(scripted: ScriptedEngine) -> None:
    warmed = []

    async def warm(replica: Replica) -> None:
        warmed.append(replicas.snapshot()[0].boot_id)

    async with watch(scripted, on_boot=warm) as replicas:
        await replicas.wait_ready(20)
        first = scripted.boot_id
        await scripted.restart()
        await until(lambda: len(warmed) == 2)
        assert warmed == [first, scripted.boot_id]
        assert replicas.choose(Ahead(pin=Pin("r0", first))).reason is Placement.COLD


async def test_a_replica_that_is_gone_is_suspect_then_down(pair: tuple[ScriptedEngine, ScriptedEngine]) -> None:
    async with watch(*pair) as replicas:
        await until(lambda: states(replicas) == [READY, READY])
        await pair[0].stop()
        await until(lambda: states(replicas) == [SUSPECT, READY])
        await until(lambda: states(replicas) == [DOWN, READY])
        await pair[0].start()
        await until(lambda: states(replicas) == [READY, READY])


async def test_a_mute_replica_is_suspect_after_the_second_silence(scripted: ScriptedEngine) -> None:
    async with watch(scripted) as replicas:
        await replicas.wait_ready(20)
        scripted.mute = True
        await until(lambda: states(replicas) == [SUSPECT])
        scripted.mute = False
        await until(lambda: states(replicas) == [READY])


async def test_a_failed_attempt_ejects_at_once_and_a_proof_of_life_readmits(
    scripted: ScriptedEngine, replicas: Replicas
) -> None:
    scripted.mute_probes = True
    replicas.report("r0", Outcome.FAILED)
    assert states(replicas) == [SUSPECT]
    await until(lambda: len(scripted.probes) > 1)
    assert states(replicas) == [SUSPECT], "metrics alone readmit nobody"
    scripted.mute_probes = False
    await until(lambda: states(replicas) == [READY])


async def test_a_hung_engine_is_suspect_but_never_down(scripted: ScriptedEngine, replicas: Replicas) -> None:
    replicas._probe._proof_timeout_s = 0.05
    scripted.mute_probes = True
    replicas.report("r0", Outcome.FAILED)
    await until(lambda: len(scripted.probes) > 3)
    assert states(replicas) == [SUSPECT]
    assert replicas.choose(Ahead()).order == ("r0",), "the last one is never ejected"


async def test_each_failure_in_a_row_ejects_for_longer(scripted: ScriptedEngine, replicas: Replicas) -> None:
    loop, pauses = asyncio.get_running_loop(), []
    for _ in range(4):
        ejected_at = loop.time()
        replicas.report("r0", Outcome.FAILED)
        await until(lambda: states(replicas) == [READY])
        pauses.append(loop.time() - ejected_at)
    assert all(pause >= INTERVAL_S * 2**number for number, pause in enumerate(pauses))
    replicas.report("r0", Outcome.OK)
    assert replicas._members["r0"].ejections == 0


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.BUSY, Outcome.REFUSED])
async def test_other_outcomes_eject_nobody(outcome: Outcome, replicas: Replicas) -> None:
    replicas.report("r0", outcome)
    assert states(replicas) == [READY]


async def test_a_success_clears_a_suspect(scripted: ScriptedEngine, replicas: Replicas) -> None:
    scripted.mute_probes = True
    replicas.report("r0", Outcome.FAILED)
    replicas.report("r0", Outcome.OK)
    assert states(replicas) == [READY]


async def test_draining_lasts_until_the_next_boot(scripted: ScriptedEngine, replicas: Replicas) -> None:
    boot = scripted.boot_id
    replicas.drain("r0")
    await asyncio.sleep(INTERVAL_S * 5)
    assert states(replicas) == [ReplicaState.DRAINING]
    replicas.report("r0", Outcome.FAILED)
    await until(lambda: states(replicas) == [ReplicaState.DRAINING])
    await scripted.restart()
    await until(lambda: states(replicas) == [READY])
    assert replicas.snapshot()[0].boot_id != boot


async def test_draining_is_taken_back(scripted: ScriptedEngine, replicas: Replicas) -> None:
    replicas.undrain("r0")
    assert states(replicas) == [READY]
    replicas.drain("r0")
    replicas.undrain("r0")
    assert states(replicas) == [READY]
    replicas.drain("r0")
    replicas.report("r0", Outcome.FAILED)
    replicas.undrain("r0")
    assert states(replicas) == [ReplicaState.SUSPECT]
    await until(lambda: states(replicas) == [READY])
    with pytest.raises(UnknownReplica):
        replicas.undrain("r9")


async def test_draining_is_not_undone_by_a_warm_up_that_ends(scripted: ScriptedEngine) -> None:
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def warm(replica: Replica) -> None:
        begun.set()
        await go_on.wait()

    async with watch(scripted, on_boot=warm) as replicas:
        await begun.wait()
        replicas.drain("r0")
        go_on.set()
        await asyncio.sleep(INTERVAL_S * 5)
        assert states(replicas) == [ReplicaState.DRAINING]


async def test_pinned_conversations_leave_a_draining_replica(pair: tuple[ScriptedEngine, ScriptedEngine]) -> None:
    async with watch(*pair) as replicas:
        await until(lambda: states(replicas) == [READY, READY])
        pin = Pin("r0", pair[0].boot_id)
        assert replicas.choose(Ahead(pin=pin)).reason is Placement.PINNED
        replicas.drain("r0")
        assert replicas.choose(Ahead(pin=pin)).order[0] == "r1"
        assert replicas.choose(Ahead(pin=pin)).reason is Placement.MOVED_DRAIN
        assert all(replicas.choose(Ahead()).order[0] == "r1" for _ in range(4))


async def test_a_burst_spreads_before_any_attempt_has_begun(pair: tuple[ScriptedEngine, ScriptedEngine]) -> None:
    async with watch(*pair) as replicas:
        await until(lambda: states(replicas) == [READY, READY])
        chosen = [replicas.choose(Ahead()).order[0] for _ in range(6)]
    assert chosen in (["r0", "r1"] * 3, ["r1", "r0"] * 3)


async def test_an_attempt_counts_while_it_runs(replicas: Replicas) -> None:
    with replicas.enter("r0"), replicas.enter("r0"):
        assert replicas.snapshot()[0].inflight == 2
    assert replicas.snapshot()[0].inflight == 0


async def test_load_from_other_processes_is_seen(scripted: ScriptedEngine, replicas: Replicas) -> None:
    scripted.waiting, scripted.kv_usage = 4, 0.5
    with replicas.enter("r0"):
        await until(lambda: replicas.snapshot()[0].elsewhere == 3)
        assert replicas.snapshot()[0].load == 4
    assert (replicas.snapshot()[0].waiting, replicas.snapshot()[0].kv_usage) == (4, 0.5)


async def test_the_set_may_change_while_it_runs(scripted: ScriptedEngine, replicas: Replicas) -> None:
    async with ScriptedEngine() as late:
        assert replicas.add(late.url) == Replica("r1", late.url)
        await until(lambda: states(replicas) == [READY, READY])
        await replicas.remove("r0")
        assert [snapshot.id for snapshot in replicas.snapshot()] == ["r1"]
        with replicas.enter("r0"):
            replicas.report("r0", Outcome.FAILED)
        with pytest.raises(UnknownReplica):
            replicas.drain("r0")


async def test_waiting_for_nobody_says_who_is_missing(scripted: ScriptedEngine) -> None:
    await scripted.stop()
    async with watch(scripted) as replicas:
        with pytest.raises(NotReady, match="r0 starting: ConnectError"):
            await replicas.wait_ready(0.1)


async def test_waiting_looks_at_every_replica_once(pair: tuple[ScriptedEngine, ScriptedEngine]) -> None:
    pair[1].mute = True
    async with watch(*pair) as replicas:
        await until(lambda: states(replicas)[0] is READY)
        with pytest.raises(NotReady):
            await replicas.wait_ready(0.05)
        await replicas.wait_ready(20)
        assert states(replicas) == [READY, ReplicaState.STARTING]


async def test_a_replica_without_a_model_stays_warming(scripted: ScriptedEngine) -> None:
    scripted.serves_model = False
    async with watch(scripted) as replicas:
        await until(lambda: states(replicas) == [ReplicaState.WARMING])
        scripted.serves_model = True
        await replicas.wait_ready(20)
