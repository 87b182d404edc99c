"""The line before the replicas: who may begin now, who waits, who is told to come back later.

A replica takes as many attempts at once as its limit says. Beyond that they wait here, customers first, each ranked
again whenever there is room: so a pinned one goes elsewhere as soon as waiting would cost it more than moving. The
line is short: whoever would wait in it for longer than allowed is refused at once.
"""

import asyncio
import itertools
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Set
from dataclasses import dataclass, field

from backend.errors import NotReady, QueueFull
from backend.placement import Ahead, Ranking, ReplicaState, Snapshot
from backend.priority import Priority
from backend.routing import Policy
from backend.ticket import Ticket

_WINDOW_S = 5.0
_TELLING_S = 2.5  # sooner, a handful of ends would say anything
_LEAST_LINE = 4  # so many may wait even where nothing is known of the time that they would


@dataclass(order=True)
class _Waiting:
    priority: int
    number: int
    ahead: Ahead = field(compare=False)
    exclude: Set[str] = field(compare=False)
    place: asyncio.Future[Ticket] = field(compare=False)


class Admission:
    """One line for all replicas of a process. `look` gives the replicas as the policy sees them now."""

    def __init__(
        self,
        policy: Policy,
        look: Callable[[], list[Snapshot]],
        longest_wait_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy, self._look, self._clock = policy, look, clock
        self._ends = deque[float]()  # when attempts of ours ended lately
        self._busy_since_s: float | None = None
        self.longest_wait_s = longest_wait_s
        self._line: list[_Waiting] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        return sum(not each.place.done() for each in self._line)

    async def admit(self, ahead: Ahead, exclude: Set[str], priority: Priority, *, patient: bool = False) -> Ticket:
        """A place on the replica that the policy ranks first, when that has room.

        Raises NotReady when none can serve, and QueueFull when the wait would be too long, unless `patient`.
        """
        views = self._look()
        ranking = self._rank(ahead, views, exclude)
        if _has_room(ranking, views) and not self._before(priority):
            return self._enter(ahead, ranking)
        wait_s = self.expected_wait_s(self._before(priority), views)
        if not patient and wait_s > self.longest_wait_s and self.waiting >= _LEAST_LINE:
            raise QueueFull(wait_s)
        return await self._wait(ahead, exclude, priority)

    def expected_wait_s(self, before: int, views: list[Snapshot] | None = None) -> float:
        """How long a newcomer waits behind `before` others.

        By Little's law over the places and the time that an attempt takes, or as slowly as the line really moves:
        what an attempt costs this process itself, or the database, is in the second alone.
        """
        moving_s = before / self._pace_per_s() if self._is_busy(before) else 0.0
        serving = [view for view in views or self._look() if view.state is ReplicaState.READY]
        places = sum(max(1.0, view.limit) for view in serving)
        free = sum(max(0.0, view.limit - view.load) for view in serving)
        if not serving or before < free:
            return 0.0
        turn_s = max(self._policy.turn_ms(view.id) for view in serving) / 1000
        return max(moving_s, (before + 1 - free) * turn_s / places)

    def _is_busy(self, before: int) -> bool:
        """Whether somebody has been waiting for long enough to say how fast the line moves."""
        if before == 0:
            self._busy_since_s = None
        elif self._busy_since_s is None:
            self._busy_since_s = self._clock()
        return self._busy_since_s is not None and self._clock() - self._busy_since_s >= _TELLING_S

    def _pace_per_s(self) -> float:
        """Attempts that end in a second, all processes together, while somebody waits."""
        now_s = self._clock()
        since_s = now_s - _WINDOW_S if self._busy_since_s is None else max(self._busy_since_s, now_s - _WINDOW_S)
        ends = len(self._ends) - bisect_left(self._ends, since_s)
        return max(ends, 0.5) / (now_s - since_s) / self._policy.share_of_traffic()

    def _ended(self) -> None:
        now_s = self._clock()
        self._ends.append(now_s)
        while self._ends[0] < now_s - _WINDOW_S:
            self._ends.popleft()
        self.serve()

    def places(self) -> int | None:
        """How many attempts of this process the ready replicas take at once; None when none is ready."""
        serving = [view for view in self._look() if view.state is ReplicaState.READY]
        return sum(max(1, int(view.limit) - view.elsewhere) for view in serving) if serving else None

    async def wait_for_change(self, at_most_s: float) -> None:
        """Until a place is given back or a replica has changed."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._changed.wait()
        except TimeoutError:
            return

    def serve(self) -> None:
        """Give free places to those who wait, in order. To be called when a place or a replica has changed."""
        self._changed.set()
        self._changed = asyncio.Event()
        # Whoever gave up in this very moment is still in line: it leaves as soon as its task runs.
        for each in [each for each in self._line if not each.place.done()]:
            views = self._look()
            if views and not any(view.has_room for view in views):
                return
            try:
                ranking = self._rank(each.ahead, views, each.exclude)
            except NotReady as error:
                each.place.set_exception(error)
                continue
            if _has_room(ranking, views):
                each.place.set_result(self._enter(each.ahead, ranking))

    def _before(self, priority: Priority) -> int:
        """How many wait before a newcomer of this priority."""
        return sum(each.priority <= priority and not each.place.done() for each in self._line)

    async def _wait(self, ahead: Ahead, exclude: Set[str], priority: Priority) -> Ticket:
        place = asyncio.get_running_loop().create_future()
        waiting = _Waiting(priority, next(self._numbers), ahead, exclude, place)
        insort(self._line, waiting)
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and not place.exception():
                place.result().close()
            raise
        finally:
            self._line.remove(waiting)

    def _rank(self, ahead: Ahead, views: list[Snapshot], exclude: Set[str]) -> Ranking:
        ranking = self._policy.rank(ahead, views, time.monotonic(), exclude)
        if not ranking.order:
            raise NotReady("no replica can serve now")
        return ranking

    def _enter(self, ahead: Ahead, ranking: Ranking) -> Ticket:
        return Ticket(self._policy, ranking.order[0], ahead, ranking, self._ended)


def _has_room(ranking: Ranking, views: list[Snapshot]) -> bool:
    return next(view for view in views if view.id == ranking.order[0]).has_room
