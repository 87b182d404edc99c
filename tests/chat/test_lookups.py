"""Lookups: callables and HTTP endpoints, their limits, what counts as an answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chat.lookups import Lookups, address_of, check_lookups
from chat.packs import FOLDER
from prompts import Fact, FactType, Lookup, LookupCall, LookupConfigError, LookupOutcome, Pack, load_pack
from sessions import Store, Unavailable, seed_demo, upgrade

FACTS = {"status": Fact(choices=("shipped", "delivered")), "eta": Fact(type=FactType.DATE, optional=True)}

answers: list[Any] = []
"""What `scripted` does next: returns a mapping or None, raises an exception, or waits for ever (`...`)."""


async def scripted(store: Store, *, order_id: str) -> Mapping[str, Any] | None:
    answer = answers.pop(0)
    if answer is ...:
        await asyncio.Event().wait()
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path}/lookups.db"
    await upgrade(url)
    store = Store(url)
    async with store.begin() as repo:
        await seed_demo(repo)
    yield store
    await store.close()


def pack_with(**source: str) -> Pack:
    lookup = Lookup(args=("order_id",), facts=FACTS, timeout_s=0.2, **source)
    return load_pack(FOLDER / "demo-shop").model_copy(update={"lookups": {"orders": lookup}})


async def run(store: Store, pack: Pack, order_id: str = "10234") -> Any:
    lookups = Lookups(store)
    try:
        return await lookups.run(pack, LookupCall(next(iter(pack.lookups)), {"order_id": order_id}))
    finally:
        await lookups.close()


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([{"status": "shipped", "eta": "2026-11-24", "secret": "x"}], LookupOutcome.FOUND),
        ([None], LookupOutcome.NOT_FOUND),
        ([Unavailable("away"), {"status": "shipped"}], LookupOutcome.FOUND),
        ([..., {"status": "shipped"}], LookupOutcome.FOUND),
        ([..., ...], LookupOutcome.FAILED),
        ([KeyError("their mistake"), {"status": "shipped"}], LookupOutcome.FOUND),
        ([KeyError("their mistake"), ZeroDivisionError()], LookupOutcome.FAILED),
        ([{"status": "on the moon"}, {}], LookupOutcome.FAILED),
        ([["shipped"], "shipped"], LookupOutcome.FAILED),
    ],
)
async def test_a_source_gets_two_tries_and_only_a_lawful_answer_counts(
    store: Store, script: list[Any], outcome: LookupOutcome
) -> None:
    answers[:] = script
    answer = await run(store, pack_with(callable="tests.chat.test_lookups:scripted"))
    assert answer.outcome is outcome
    assert answers == []
    assert set(answer.facts) == ({"status", "eta"} if outcome is LookupOutcome.FOUND else set())


async def test_a_callable_that_does_not_exist_is_found_before_it_serves(store: Store) -> None:
    for path in ("nowhere:f", "chat.lookups:nothing", "chat.lookups", "chat.lookups:address_of"):
        with pytest.raises(LookupConfigError, match=path):
            check_lookups(pack_with(callable=path))


async def other_arguments(store: Store, *, order: str) -> None:
    """Takes no `order_id`."""


async def test_a_callable_that_does_not_take_the_arguments_is_found_before_it_serves(store: Store) -> None:
    with pytest.raises(LookupConfigError, match="does not take its arguments"):
        check_lookups(pack_with(callable="tests.chat.test_lookups:other_arguments"))


async def test_an_old_version_whose_callable_is_gone_has_failing_lookups(store: Store) -> None:
    assert (await run(store, pack_with(callable="nowhere:f"))).outcome is LookupOutcome.FAILED


async def test_the_demo_shop_answers_from_its_order_book(store: Store) -> None:
    pack = load_pack(FOLDER / "demo-shop")
    found = await run(store, pack, "10234")
    assert found.outcome is LookupOutcome.FOUND
    assert found.facts["product"]
    assert (await run(store, pack, "99999")).outcome is LookupOutcome.NOT_FOUND


async def test_every_order_of_the_demo_shop_can_be_told(store: Store) -> None:
    pack = load_pack(FOLDER / "demo-shop")
    async with store.read() as repo:
        orders = await repo.orders.list()
    assert {(await run(store, pack, order.order_id)).outcome for order in orders} == {LookupOutcome.FOUND}


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP endpoint and the addresses that it was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        match request.match_info["order_id"]:
            case "10234":
                return web.json_response({"status": "delivered"})
            case "busy":
                return web.Response(status=503)
            case "moved":
                raise web.HTTPFound("/orders/10234")
            case "html":
                return web.Response(text="<html>", content_type="text/html")
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/orders/{order_id}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@pytest.mark.parametrize(
    ("order_id", "outcome", "tries"),
    [
        ("10234", LookupOutcome.FOUND, 1),
        ("77777", LookupOutcome.NOT_FOUND, 1),
        ("busy", LookupOutcome.FAILED, 2),
        ("moved", LookupOutcome.FAILED, 2),
        ("html", LookupOutcome.FAILED, 2),
    ],
)
async def test_an_endpoint_answers(
    store: Store, endpoint: tuple[str, list[str]], order_id: str, outcome: LookupOutcome, tries: int
) -> None:
    root, asked = endpoint
    answer = await run(store, pack_with(url=f"{root}/orders/{{order_id}}"), order_id)
    assert answer.outcome is outcome
    assert asked == [f"/orders/{order_id}"] * tries


async def test_an_endpoint_that_is_away_is_a_failure(store: Store) -> None:
    answer = await run(store, pack_with(url="http://127.0.0.1:9/orders"))
    assert answer.outcome is LookupOutcome.FAILED


def test_an_argument_cannot_leave_its_place_in_the_address() -> None:
    address, query = address_of("http://shop/orders/{order_id}", {"order_id": "../admin?x=1#", "name": "a b"})
    assert (address, query) == ("http://shop/orders/..%2Fadmin%3Fx%3D1%23", {"name": "a b"})
