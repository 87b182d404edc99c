"""A deadline for each of many steps in a row, such as the chunks of a stream.

`asyncio.timeout` arms and disarms a timer for each step: a tenth of what a chunk costs. This has one timer, which looks
now and then whether the step of that moment is late.
"""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class Deadline:
    """To be entered where the steps begin; `within` takes one step at a time, of whichever task."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None  # that waits for a step
        self._due_s = 0.0
        self._is_late = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def within(self, limit_s: float, step: Awaitable[T]) -> T:
        """What the step gives. Raises TimeoutError, after it has cancelled the step, when it takes longer."""
        task = asyncio.current_task()
        assert task is not None
        self._task, self._due_s = task, self._loop.time() + limit_s
        cancelling = task.cancelling()
        if self._timer is None or self._timer.when() > self._due_s:
            self._arm()
        try:
            return await step
        except asyncio.CancelledError as stopped:
            # As in `asyncio.timeout`: somebody else's wish to cancel goes before ours.
            if self._is_late and task.uncancel() <= cancelling:
                raise TimeoutError from stopped
            raise
        finally:
            self._task, self._is_late = None, False

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            return  # the next step arms it again
        if self._loop.time() < self._due_s:
            self._arm()
            return
        self._is_late = True
        self._task.cancel()
