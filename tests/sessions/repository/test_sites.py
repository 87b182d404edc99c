import pytest

from sessions import Conflict, Customer, NotFound, Principal, Scope, Server, Site, Staff, Store


async def test_a_site_is_found_by_its_public_key(store: Store) -> None:
    async with store.begin() as repo:
        await repo.sites.add(Site(key="lamp", name="Lamps", pack="lamps", allowed_origins=["https://lamps.example"]))
    async with store.read() as repo:
        site = await repo.sites.get("lamp")
        assert await repo.sites.get("nowhere") is None
        assert await repo.sites.get("lamp\x00") is None
    assert (site.name, site.allowed_origins, site.pack, site.pack_version) == (
        "Lamps",
        ["https://lamps.example"],
        "lamps",
        None,
    )
    assert (site.secrets, site.salt_epoch, site.enabled) == ([], 0, True)


async def test_a_key_is_taken_once(store: Store) -> None:
    with pytest.raises(Conflict) as refused:
        async with store.begin() as repo:
            await repo.sites.add(Site(key="demo", name="Another", pack="another"))
    assert refused.value.code == "site_exists"


async def test_a_site_changes(store: Store) -> None:
    async with store.begin() as repo:
        await repo.sites.update("demo", allowed_origins=["https://a.example"], secrets=["new", "old"], salt_epoch=3)
    async with store.read() as repo:
        site = await repo.sites.get("demo")
    assert (site.allowed_origins, site.secrets, site.salt_epoch) == (["https://a.example"], ["new", "old"], 3)


async def test_what_is_not_changed(store: Store) -> None:
    async with store.begin() as repo:
        with pytest.raises(NotFound):
            await repo.sites.update("nowhere", name="Nobody")
        with pytest.raises(TypeError, match="created_at, key"):
            await repo.sites.update("demo", key="other", created_at=None)


@pytest.mark.parametrize(
    ("principal", "keys"),
    [
        (Server(), ["demo", "other"]),
        (Staff("operator", frozenset({Scope.OPERATOR}), None), ["demo", "other"]),
        (Staff("of one site", frozenset({Scope.OPERATOR}), frozenset({"other"})), ["other"]),
        (Customer(frozenset({"cnv_1"})), []),
    ],
    ids=["server", "operator", "operator of one site", "customer"],
)
async def test_who_lists_which_sites(store: Store, principal: Principal, keys: list[str]) -> None:
    async with store.read() as repo:
        assert [site.key for site in await repo.sites.list(principal)] == keys


@pytest.mark.parametrize("sites", [None, [], ["demo"], ["demo", "other"]])
@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_names_its_holder(store: Store, scope: Scope, sites: list[str] | None) -> None:
    async with store.begin() as repo:
        raw = await repo.sites.add_key(scope, sites, "panel")
    async with store.read() as repo:
        staff = await repo.sites.by_key(raw)
        (kept,) = await repo.sites.keys()
    assert raw.startswith("pdk_")
    assert raw not in str(kept.model_dump())
    assert staff == Staff("panel", frozenset({scope}), None if sites is None else frozenset(sites))


async def test_a_revoked_key_opens_nothing(store: Store) -> None:
    async with store.begin() as repo:
        raw, kept_raw = [await repo.sites.add_key(Scope.AGENT, None, label) for label in ("one", "two")]
        (one,) = [key for key in await repo.sites.keys() if key.label == "one"]
        await repo.sites.revoke(one.id)
    async with store.begin() as repo:
        await repo.sites.revoke(one.id)
        assert await repo.sites.by_key(raw) is None
        assert await repo.sites.by_key(kept_raw) is not None
        assert await repo.sites.by_key("pdk_unknown") is None
        with pytest.raises(NotFound):
            await repo.sites.revoke("key_unknown")
