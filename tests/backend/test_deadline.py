"""One timer for many steps."""

import asyncio

import pytest

from backend.deadline import Deadline


async def test_a_step_in_time_gives_what_it_gives() -> None:
    with Deadline() as deadline:
        assert [await deadline.within(1, asyncio.sleep(0.01, number)) for number in range(3)] == [0, 1, 2]


async def test_a_late_step_is_cancelled_and_the_task_goes_on() -> None:
    ended = []

    async def hangs() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("cancelled")

    with Deadline() as deadline:
        with pytest.raises(TimeoutError):
            await deadline.within(0.02, hangs())
        assert ended == ["cancelled"]
        assert await deadline.within(1, asyncio.sleep(0.01, "next")) == "next"
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


async def test_each_step_has_its_own_limit_shorter_or_longer_than_the_one_before() -> None:
    began = asyncio.get_running_loop().time()
    with Deadline() as deadline:
        assert await deadline.within(5, asyncio.sleep(0, "long")) == "long"
        with pytest.raises(TimeoutError):
            await deadline.within(0.02, asyncio.sleep(10))
        assert await deadline.within(1, asyncio.sleep(0.05, "longer")) == "longer"
    assert asyncio.get_running_loop().time() - began < 2


async def test_the_time_between_steps_does_not_count() -> None:
    with Deadline() as deadline:
        for _ in range(2):
            await deadline.within(0.02, asyncio.sleep(0))
            await asyncio.sleep(0.05)


async def test_steps_add_up_to_more_than_the_limit_of_one() -> None:
    with Deadline() as deadline:
        for _ in range(5):
            await deadline.within(0.05, asyncio.sleep(0.02))


async def test_whoever_cancels_the_task_is_obeyed() -> None:
    async def follow() -> None:
        with Deadline() as deadline:
            await deadline.within(5, asyncio.sleep(10))

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_left_behind() -> None:
    with Deadline() as deadline:
        await deadline.within(0.01, asyncio.sleep(0))
    await asyncio.sleep(0.03)
    assert deadline._timer is not None and deadline._timer.cancelled()
