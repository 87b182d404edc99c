import asyncio
import time

import pytest

from sessions import Unavailable
from sessions.turnstile import Turnstile


async def test_one_at_a_time_in_order() -> None:
    turnstile = Turnstile(5)
    inside: list[int] = []
    order: list[int] = []

    async def pass_through(n: int) -> None:
        async with turnstile.turn():
            inside.append(n)
            assert inside == [n]
            await asyncio.sleep(0)
            order.append(inside.pop())

    await asyncio.gather(*(pass_through(n) for n in range(20)))
    assert order == list(range(20))


async def test_a_queue_that_moves_is_waited_for_however_long() -> None:
    turnstile = Turnstile(0.1)

    async def pass_through() -> None:
        async with turnstile.turn():
            await asyncio.sleep(0.03)

    await asyncio.gather(*(pass_through() for _ in range(10)))


async def test_a_queue_that_stands_still_is_left_by_all_at_once() -> None:
    turnstile = Turnstile(0.1)
    done = asyncio.Event()

    async def stand() -> None:
        async with turnstile.turn():
            await done.wait()

    async def pass_through() -> None:
        async with turnstile.turn():
            pass

    standing = asyncio.create_task(stand())
    await asyncio.sleep(0)
    began = time.monotonic()
    results = await asyncio.gather(*(pass_through() for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert time.monotonic() - began < 1
    done.set()
    await standing
    await asyncio.wait_for(pass_through(), 1)


async def test_failures_do_not_count_as_movement() -> None:
    turnstile = Turnstile(0.15)

    async def fail() -> None:
        async with turnstile.turn():
            await asyncio.sleep(0.1)
            raise ZeroDivisionError

    results = await asyncio.gather(*(fail() for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError] * 2 + [Unavailable] * 3


async def test_whoever_is_cancelled_while_waiting_holds_nobody_up() -> None:
    turnstile = Turnstile(5)
    done = asyncio.Event()

    async def stand() -> None:
        async with turnstile.turn():
            await done.wait()

    tasks = [asyncio.create_task(stand()) for _ in range(4)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    done.set()
    await asyncio.sleep(0)
    tasks[2].cancel()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 1)
    assert results[0] is results[3] is None
    assert isinstance(results[1], asyncio.CancelledError)
    async with asyncio.timeout(1), turnstile.turn():
        pass


@pytest.mark.parametrize("steps", range(6))
async def test_a_turn_that_comes_as_its_taker_is_cancelled_passes_on(steps: int) -> None:
    turnstile = Turnstile(5)
    async with turnstile.turn():
        waiting = asyncio.create_task(_stand(turnstile))
        await asyncio.sleep(0.01)
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), turnstile.turn():
        pass


async def _stand(turnstile: Turnstile) -> None:
    async with turnstile.turn():
        await asyncio.sleep(60)
