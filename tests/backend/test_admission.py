import asyncio

import pytest

from backend.admission import Admission
from backend.errors import NotReady, QueueFull
from backend.placement import Ahead, Pin, Placement, ReplicaState, Snapshot
from backend.priority import Priority
from backend.routing import Policy, PolicySettings
from backend.ticket import Ticket

READY = ReplicaState.READY
AHEAD = Ahead("brand", 100, 200)


class Desk:
    """A line before `count` ready replicas of `limit` places each."""

    def __init__(self, count: int = 2, limit: float = 2.0, longest_wait_s: float = 5.0) -> None:
        self.policy = Policy(PolicySettings(first_limit=limit, least_limit=limit))
        self.replicas = [Snapshot(f"r{number}", "", READY, "monday") for number in range(count)]
        self.now_s = 0.0
        self.line = Admission(self.policy, self.look, longest_wait_s, lambda: self.now_s)
        self.order: list[str] = []

    def look(self) -> list[Snapshot]:
        return [self.policy.view(replica, 0) for replica in self.replicas]

    async def fill(self) -> list[Ticket]:
        places = sum(int(view.limit) for view in self.look())
        return [await self.line.admit(AHEAD, frozenset(), Priority.CUSTOMER) for _ in range(places)]

    def ask(
        self, name: str, priority: Priority = Priority.CUSTOMER, ahead: Ahead = AHEAD, *, patient: bool = False
    ) -> asyncio.Task[Ticket]:
        async def asked() -> Ticket:
            ticket = await self.line.admit(ahead, frozenset(), priority, patient=patient)
            self.order.append(name)
            return ticket

        return asyncio.create_task(asked())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_every_place_is_taken_before_anyone_waits() -> None:
    desk = Desk(count=2, limit=3)
    taken = await desk.fill()
    assert sorted(ticket.replica_id for ticket in taken) == ["r0"] * 3 + ["r1"] * 3
    assert desk.line.places() == 6
    desk.ask("late")
    await settled()
    assert desk.line.waiting == 1


async def test_a_place_that_is_given_back_goes_to_whoever_waits() -> None:
    desk = Desk()
    taken = await desk.fill()
    late = desk.ask("late")
    await settled()
    taken[2].close()
    ticket = await late
    assert ticket.replica_id == taken[2].replica_id
    assert desk.line.waiting == 0
    assert sum(view.inflight for view in desk.look()) == 4


async def test_customers_go_before_suggestions_before_warm_ups() -> None:
    desk = Desk()
    taken = await desk.fill()
    for name, priority in (("warm", 20), ("suggestion", 10), ("first", 0), ("second", 0)):
        desk.ask(name, Priority(priority))
        await settled()
    for ticket in taken:
        ticket.close()
        await settled()
    assert desk.order == ["first", "second", "suggestion", "warm"]


async def test_who_would_wait_too_long_is_refused_at_once_and_told_when_to_come_back() -> None:
    desk = Desk(longest_wait_s=1.0)
    await desk.fill()
    tasks = [desk.ask(f"{number}") for number in range(30)]
    await settled()
    refused = [task for task in tasks if task.done()]
    assert 0 < desk.line.waiting < 10
    assert len(refused) + desk.line.waiting == 30
    error = refused[0].exception()
    assert isinstance(error, QueueFull) and 1 <= error.retry_after_s < 60
    for task in tasks:
        task.cancel()


async def test_an_accepted_turn_waits_as_long_as_it_takes() -> None:
    desk = Desk(longest_wait_s=0.1)
    await desk.fill()
    tasks = [desk.ask(f"{number}", patient=True) for number in range(30)]
    await settled()
    assert desk.line.waiting == 30
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert desk.line.waiting == 0


async def test_whoever_gives_up_leaves_the_line_and_no_place_behind() -> None:
    desk = Desk(count=1, limit=2)
    taken = await desk.fill()
    gone, stays = desk.ask("gone"), desk.ask("stays")
    await settled()
    taken[0].close()
    gone.cancel()  # its place has just been given to it
    await asyncio.gather(gone, return_exceptions=True)
    await stays
    assert desk.look()[0].inflight == 2


async def test_a_pinned_turn_waits_for_its_replica_while_others_pass_it() -> None:
    desk = Desk()
    taken = await desk.fill()
    home = Ahead("brand", 100, 9000, Pin("r0", "monday", 8900, "brand"), key="c1")
    desk.ask("pinned", ahead=home)
    desk.ask("other")
    await settled()
    next(ticket for ticket in taken if ticket.replica_id == "r1").close()
    await settled()
    assert desk.order == ["other"]
    next(ticket for ticket in taken if ticket.replica_id == "r0").close()
    await settled()
    assert desk.order == ["other", "pinned"]


async def test_nobody_waits_for_replicas_that_are_not_there() -> None:
    desk = Desk(count=1, limit=2)
    with pytest.raises(NotReady):
        await Desk(count=0).line.admit(AHEAD, frozenset(), Priority.CUSTOMER)
    await desk.fill()
    waiting = desk.ask("waits")
    await settled()
    desk.replicas.clear()
    desk.line.serve()
    with pytest.raises(NotReady):
        await waiting
    assert desk.line.places() is None


async def test_a_line_that_moves_slower_than_its_places_promise_is_believed() -> None:
    desk = Desk(count=2, limit=8)
    taken = await desk.fill()
    assert desk.line.expected_wait_s(20) == pytest.approx(21 / 16, rel=0.01), "a second a turn, until it is known"
    for _ in range(4):
        desk.now_s += 1
        taken.pop().close()
        taken.append(await desk.line.admit(AHEAD, frozenset(), Priority.CUSTOMER))
    assert desk.line.expected_wait_s(20) == pytest.approx(20, rel=0.3), "one a second"
    assert desk.line.expected_wait_s(0) < 1, "nobody waits"
    desk.now_s += 2
    assert desk.line.expected_wait_s(20) < 2, "who begins to wait tells nothing yet"


async def test_a_ticket_is_given_back_once() -> None:
    desk = Desk(count=1, limit=2)
    first, second = await desk.fill()
    first.close()
    first.close()
    assert desk.look()[0].inflight == 1
    assert second.ranking.reason is Placement.PLACED
