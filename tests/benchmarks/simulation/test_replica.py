from dataclasses import replace

import pytest

from benchmarks.simulation.cost import Cost
from benchmarks.simulation.replica import Job, SimReplica
from benchmarks.simulation.scenarios import share_machine
from benchmarks.traffic import Conversation

COST = Cost(request_ms=0, step_ms=10, prefill_ms=1, attention_ms=0, decode_ms=0)


def talk(number: int, prompts: list[int], reply: int = 1, brand_tokens: int = 64) -> Conversation:
    shared = [brand_tokens, *(prompt + reply for prompt in prompts[:-1])]
    return Conversation(number, 0, brand_tokens, [0.0] * len(prompts), prompts, shared, [reply] * len(prompts))


def played(replica: SimReplica, *arrivals: tuple[float, Job]) -> dict[Job, tuple[float, float]]:
    """Run until nothing is left: when each job had its first token and when it was done."""
    first, done, waiting = {}, {}, sorted(arrivals, key=lambda arrival: arrival[0])
    while waiting or replica.wake is not None:
        if waiting and (replica.wake is None or waiting[0][0] <= replica.wake):
            at, job = waiting.pop(0)
            replica.submit(job, at)
            continue
        now = replica.wake
        began, ended = replica.advance(now)
        first |= dict.fromkeys(began, now)
        done |= dict.fromkeys(ended, now)
    return {job: (first[job], done[job]) for job in done}


def test_a_prompt_is_computed_once_and_then_read() -> None:
    replica, conversation = SimReplica(0, 100, COST), talk(1, [128, 192])
    one, two = Job(conversation, 0), Job(conversation, 1)
    times = played(replica, (0.0, one), (1.0, two))
    assert (one.cached, two.cached) == (0, 128)
    assert times[one][0] == pytest.approx(0.138) and times[two][0] == pytest.approx(1.074)


def test_the_brand_is_shared_between_conversations_even_while_both_run() -> None:
    replica = SimReplica(0, 100, COST)
    jobs = [Job(talk(number, [100]), 0) for number in (1, 2)]
    played(replica, *((0.0, job) for job in jobs))
    assert [job.cached for job in jobs] == [0, 64]


def test_those_who_wait_are_prefilled_in_one_step() -> None:
    replica = SimReplica(0, 100, COST)
    jobs = [Job(talk(number, [40], brand_tokens=0), 0) for number in range(3)]
    times = played(replica, *((0.0, job) for job in jobs))
    assert times[jobs[0]][0] == pytest.approx(0.05)
    assert times[jobs[1]][0] == times[jobs[2]][0] == pytest.approx(0.05 + 0.09)


def test_a_newcomer_waits_for_the_token_that_is_being_decoded_and_delays_the_others() -> None:
    replica = SimReplica(0, 100, COST)
    long, late = Job(talk(1, [32], reply=21, brand_tokens=0), 0), Job(talk(2, [90], brand_tokens=0), 0)
    times = played(replica, (0.0, long), (0.075, late))
    assert times[late][0] == pytest.approx(0.082 + 0.1)
    assert times[long][1] == pytest.approx(0.042 + 20 * 0.01 + 0.09)


def test_nobody_is_admitted_without_room_and_nobody_is_forgotten() -> None:
    replica = SimReplica(0, 6, COST)
    jobs = [Job(talk(number, [100], reply=20, brand_tokens=0), 0) for number in range(4)]
    times = played(replica, *((0.0, job) for job in jobs))
    assert len(times) == 4
    assert times[jobs[1]][0] > times[jobs[0]][1]
    assert replica.cache.held == 0 and replica.inflight == 0 and replica.queued_tokens == 0


def test_a_crash_loses_the_cache_and_everything_in_flight() -> None:
    replica, conversation = SimReplica(0, 100, COST), talk(1, [128, 192])
    played(replica, (0.0, Job(conversation, 0)))
    running, waiting = Job(conversation, 1), Job(talk(2, [64]), 0)
    replica.submit(running, 1.0)
    replica.submit(waiting, 1.0)
    assert set(replica.crash(1.01)) == {running, waiting}
    replica.boot_again()
    again = Job(conversation, 1)
    assert again in played(replica, (2.0, again)) and again.cached == 0


def played_beside(replicas: list[SimReplica], *arrivals: tuple[float, int, Job]) -> dict[Job, tuple[float, float]]:
    """The same for several replicas: (when, where, who)."""
    first, done, waiting = {}, {}, sorted(arrivals, key=lambda arrival: arrival[0])
    while waiting or any(replica.wake is not None for replica in replicas):
        next_wake, at = min((r.wake, r.id) for r in [*replicas, NEVER] if r.wake is not None)
        if waiting and waiting[0][0] <= next_wake:
            moment, number, job = waiting.pop(0)
            replicas[number].submit(job, moment)
            continue
        began, ended = replicas[at].advance(next_wake)
        first |= dict.fromkeys(began, next_wake)
        done |= dict.fromkeys(ended, next_wake)
    return {job: (first[job], done[job]) for job in done}


NEVER = SimReplica(99, 1, COST)
NEVER.wake = float("inf")


def pair(beside: float) -> list[SimReplica]:
    replicas = [SimReplica(number, 100, replace(COST, beside=beside)) for number in range(2)]
    share_machine(replicas)
    return replicas


def test_a_replica_is_slower_just_as_long_as_another_of_its_machine_computes() -> None:
    long, short = Job(talk(1, [190], brand_tokens=0), 0), Job(talk(2, [40], brand_tokens=0), 0)
    times = played_beside(pair(2.0), (0.0, 0, long), (0.05, 1, short))
    # 50 ms of 200 alone, 50 ms of the rest in the 100 ms that the other takes for its 50, then alone again.
    assert times[short][0] == pytest.approx(0.15)
    assert times[long][0] == pytest.approx(0.25)


def test_decoding_is_slowed_without_losing_a_token() -> None:
    writes, reads = Job(talk(1, [30], reply=21, brand_tokens=0), 0), Job(talk(2, [90], brand_tokens=0), 0)
    times = played_beside(pair(1.5), (0.0, 0, writes), (0.095, 1, reads))
    assert times[writes][0] == pytest.approx(0.04)
    assert times[reads][0] == pytest.approx(0.095 + 0.1 * 1.5)
    assert times[writes][1] == pytest.approx(0.04 + 0.2 + 0.15 - 0.1)


def test_replicas_of_their_own_machines_do_not_hinder_each_other() -> None:
    replicas = [SimReplica(number, 100, replace(COST, beside=2.0)) for number in range(2)]
    jobs = [Job(talk(number, [90], brand_tokens=0), 0) for number in range(2)]
    times = played_beside(replicas, *((0.0, number, job) for number, job in enumerate(jobs)))
    assert [times[job][0] for job in jobs] == pytest.approx([0.1, 0.1])


def test_a_crash_gives_the_machine_to_the_others() -> None:
    replicas = pair(2.0)
    job = Job(talk(1, [190], brand_tokens=0), 0)
    replicas[1].submit(Job(talk(2, [500], brand_tokens=0), 0), 0.0)
    replicas[0].submit(job, 0.0)
    replicas[1].crash(0.1)
    assert replicas[0].wake == pytest.approx(0.1 + 0.15)


def test_a_reply_costs_more_the_more_stands_before_it() -> None:
    replica = SimReplica(0, 100, replace(COST, context_ms=10))
    job = Job(talk(1, [500], reply=11, brand_tokens=0), 0)
    times = played(replica, (0.0, job))
    assert times[job][0] == pytest.approx(0.51)
    assert times[job][1] == pytest.approx(0.51 + 10 * 0.015)


def test_noise_spreads_the_times_and_is_the_same_each_time() -> None:
    def times(noise: float) -> list[float]:
        replica = SimReplica(0, 1000, replace(COST, noise=noise))
        jobs = [Job(talk(number, [90], brand_tokens=0), 0) for number in range(50)]
        found = played(replica, *((float(job.talk.id), job) for job in jobs))
        return [found[job][0] - job.talk.id for job in jobs]

    assert times(0.0) == pytest.approx([0.1] * 50)
    assert times(0.2) == times(0.2)
    assert 0.09 < sorted(times(0.2))[25] < 0.11 and max(times(0.2)) > 0.13


def test_the_ways_in_and_out_are_longer_only_while_all_replicas_of_the_machine_compute() -> None:
    replicas = [SimReplica(number, 100, replace(COST, request_ms=10, crowded=3.0)) for number in range(3)]
    share_machine(replicas[:2])
    jobs = [Job(talk(number, [90], brand_tokens=0), 0) for number in range(4)]
    ways = []
    for replica, job in zip(replicas, jobs, strict=False):
        ways.append([(each.front_s(jobs[3]), each.back_s()) for each in replicas])
        replica.submit(job, 0.0)
    assert ways[:2] == [[(0.01, 0.0)] * 3] * 2, "a core is free"
    assert ways[2] == [(pytest.approx(0.03), pytest.approx(0.02))] * 2 + [(0.01, 0.0)]
