"""What has to be there before a process uses the database: the newest schema, and the demo site with its orders."""

from chat.settings import Settings
from sessions import Store, seed_demo, upgrade


async def prepare(settings: Settings) -> None:
    """Migrate and seed; repeating it changes nothing. Raises sessions.Unavailable, ValueError for a foreign URL."""
    await upgrade(settings.database_url)
    store = Store(settings.database_url)
    await store.open()
    try:
        async with store.begin() as repo:
            await seed_demo(repo)
    finally:
        await store.close()
