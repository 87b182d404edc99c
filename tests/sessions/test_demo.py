import asyncio

from sqlalchemy import func, select

from sessions import DemoAccount, DemoOrder, Store, seed_demo


async def _seed(store: Store) -> None:
    async with store.begin() as repo:
        await seed_demo(repo, ["http://127.0.0.1:8080"])


async def test_the_demo_shop_is_seeded_once(store: Store) -> None:
    await _seed(store)
    async with store.begin() as repo:
        await repo.sites.update("demo", name="Renamed")
        await repo.orders.put(DemoOrder(**(await repo.orders.get("10234")).model_dump() | {"status": "delivered"}))
    await _seed(store)
    async with store.read() as repo:
        orders = await repo.orders.list()
        assert (await repo.sites.get("demo")).name == "Renamed"
        assert (await repo.orders.get("10234")).status == "delivered"
        assert await repo.tx.session.scalar(select(func.count()).select_from(DemoOrder)) == len(orders) >= 12


async def test_the_order_book_knows_what_can_happen_to_an_order(store: Store) -> None:
    await _seed(store)
    async with store.read() as repo:
        orders = {order.order_id: order for order in await repo.orders.list()}
    assert {"10234", "10235", "20480"} <= orders.keys()
    assert {order.status for order in orders.values()} == {
        "processing",
        "packed",
        "shipped",
        "out_for_delivery",
        "delivered",
        "returned",
        "cancelled",
    }
    assert all(order.eta is None or order.eta >= order.placed_on for order in orders.values())


async def test_an_order_is_found_as_customers_write_it(store: Store) -> None:
    await _seed(store)
    async with store.read() as repo:
        for written in ("10234", "#10234", " 10234 "):
            assert (await repo.orders.get(written)).order_id == "10234"
        assert await repo.orders.get("99999") is None


async def test_a_new_database_gets_the_demo_site_with_its_own_origin(store: Store) -> None:
    async with store.begin() as repo:
        await repo.tx.session.delete(await repo.sites.get("demo"))
    await _seed(store)
    async with store.read() as repo:
        site = await repo.sites.get("demo")
    assert (site.allowed_origins, site.pack, site.enabled) == (["http://127.0.0.1:8080"], "demo-shop", True)


async def test_processes_that_seed_at_once_agree(store: Store, second: Store) -> None:
    async with store.begin() as repo:
        await repo.tx.session.delete(await repo.sites.get("demo"))
    await asyncio.gather(*(_seed(at) for at in [store, second] * 3))
    async with store.read() as repo:
        assert await repo.sites.get("demo") is not None


async def test_the_demo_bank_is_a_brand_of_its_own(store: Store) -> None:
    await _seed(store)
    async with store.begin() as repo:
        account = await repo.accounts.get("84310276")
        await repo.accounts.put(DemoAccount(**account.model_dump() | {"balance": "$1.00"}))
        await repo.sites.update("bank", enabled=False)
    await _seed(store)
    async with store.read() as repo:
        site, accounts = await repo.sites.get("bank"), await repo.accounts.list()
    assert (site.pack, site.enabled, site.allowed_origins) == ("bank", False, ["http://127.0.0.1:8080"])
    assert accounts[0].balance == "$1.00"
    assert len({account.pin for account in accounts}) == len(accounts) >= 4
