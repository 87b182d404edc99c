"""What has to be there before a process uses the database: the schema, the demo site with its orders, the packs."""

from chat.origins import parse_origin
from chat.packs import Packs
from chat.settings import Settings
from sessions import Store, seed_demo, upgrade


async def prepare(settings: Settings) -> None:
    """Migrate, seed and release the packs of the folder; repeating it changes nothing.

    Raises sessions.Unavailable, ValueError for a foreign URL, and PackError or LookupConfigError for a pack with
    mistakes of which no version ever served.
    """
    await upgrade(settings.database_url)
    store = Store(settings.database_url)
    await store.open()
    try:
        async with store.begin() as repo:
            await seed_demo(repo, own_origins(settings))
        await Packs(store, settings.packs_dir).open()
    finally:
        await store.close()


def own_origins(settings: Settings) -> list[str]:
    """The origins of the server's own pages, as browsers write them."""
    if settings.public_url is not None:
        return [parse_origin("/".join(settings.public_url.split("/")[:3]))]
    return [f"http://{host}:{settings.port}" for host in ("127.0.0.1", "localhost")]
