import pytest

from benchmarks.simulation.cost import Cost
from benchmarks.simulation.replica import Job, SimReplica
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
    assert set(replica.crash()) == {running, waiting}
    replica.boot_again()
    again = Job(conversation, 1)
    assert again in played(replica, (2.0, again)) and again.cached == 0
