"""The live view over the real store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from chat import conversations
from chat.browser import tail
from chat.browser.tail import Followers, follow
from sessions import Customer, Server
from tests.chat.conftest import Api, make_settings, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
View = dict[str, Any]


@pytest.fixture
def followers() -> Followers:
    return Followers()


async def until(views: AsyncIterator[View], wanted: Callable[[View], bool]) -> View:
    async with asyncio.timeout(5):
        async for view in views:
            if wanted(view):
                return view
    raise AssertionError("the tail ended")


def ended(view: View) -> bool:
    return bool(view.get("ended"))


async def test_shows_what_is_there_and_then_what_comes(api: Api, followers: Followers) -> None:
    opened = await api.open()
    customer = Customer(frozenset({opened.id}))
    for number in range(2):
        await conversations.post_turn(
            api.services, customer, opened.id, text=f"line {number}", client_turn_id=str(number), address="::1"
        )
    async with aclosing(follow(api.services, followers, "page", opened.id, opened.token)) as views:
        view = await until(views, lambda view: len(view["lines"]) >= 2)
        assert [line["text"] for line in view["lines"]][:2] == ["line 0", "line 1"]
        await conversations.request_handoff(api.services, customer, opened.id)
        view = await until(views, lambda view: view["state"] == "waiting")
    assert len(followers) == 0


async def test_a_page_follows_one_conversation_at_a_time(api: Api, followers: Followers) -> None:
    first, second = await api.open(), await api.open()
    before = follow(api.services, followers, "page", first.id, first.token)
    rest = asyncio.create_task(collect(before))
    while not len(followers):
        await asyncio.sleep(0.01)
    async with aclosing(follow(api.services, followers, "page", second.id, second.token)) as views:
        await anext(views)
        assert all(not ended(view) for view in await asyncio.wait_for(rest, 5))
        assert len(followers) == 1


async def collect(views: AsyncIterator[View]) -> list[View]:
    return [view async for view in views]


async def test_another_page_is_not_disturbed(api: Api, followers: Followers) -> None:
    opened = await api.open()
    one = asyncio.create_task(collect(follow(api.services, followers, "one", opened.id, opened.token)))
    two = asyncio.create_task(collect(follow(api.services, followers, "two", opened.id, opened.token)))
    while len(followers) < 2:
        await asyncio.sleep(0.01)
    followers.leave("one")
    await asyncio.wait_for(one, 5)
    assert not two.done()
    followers.leave("two")
    await asyncio.wait_for(two, 5)
    assert len(followers) == 0


@pytest.mark.parametrize("token", ["pdc_nobody", ""])
async def test_a_foreign_token_sees_that_there_is_nothing(api: Api, followers: Followers, token: str) -> None:
    opened, own = await api.open(), await api.open()
    for tried in (token, own.token):
        views = await collect(follow(api.services, followers, "page", opened.id, tried))
        assert views == [{"conversation": opened.id, "gone": True}]


async def test_a_deleted_conversation_is_gone(api: Api, followers: Followers) -> None:
    opened = await api.open()
    views = asyncio.create_task(collect(follow(api.services, followers, "page", opened.id, opened.token)))
    while not len(followers):
        await asyncio.sleep(0.01)
    await conversations.delete(api.services, Server(), opened.id)
    assert (await asyncio.wait_for(views, 5))[-1] == {"conversation": opened.id, "gone": True}


async def test_a_stopping_server_asks_to_follow_again(tmp_path: Path, followers: Followers) -> None:
    async with serving(make_settings(tmp_path)) as api:
        opened = await api.open()
        views = asyncio.create_task(collect(follow(api.services, followers, "page", opened.id, opened.token)))
        while not len(followers):
            await asyncio.sleep(0.01)
        api.services.streams.close()
        assert (await asyncio.wait_for(views, 5))[-1] == {"conversation": opened.id, "ended": True}


async def test_a_silent_tail_still_yields(api: Api, followers: Followers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "HEARTBEAT_S", 0.05)
    opened = await api.open()
    async with aclosing(follow(api.services, followers, "page", opened.id, opened.token)) as views:
        seen = [await asyncio.wait_for(anext(views), 5) for _ in range(3)]
    assert seen[0] == seen[1] == seen[2]


async def test_leaving_a_tail_leaves_no_task_behind(api: Api, followers: Followers) -> None:
    opened = await api.open()
    views = follow(api.services, followers, "page", opened.id, opened.token)
    await anext(views)
    assert len(pumps()) == 1
    await views.aclose()
    assert pumps() == []


def pumps() -> list[asyncio.Task[None]]:
    return [task for task in asyncio.all_tasks() if "pump" in repr(task.get_coro())]
