"""What every command for administrators has in common: settings, store and one transaction in, lines or a mistake out.

A command is an ArgumentParser whose choices name, by `set_defaults(run=...)`, an `async def run(repo, given) -> lines`.
With `reads=True` beside it, the command only looks, and keeps no writer waiting.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Sequence

from chat.keys import ensure_keys
from chat.settings import Settings, SettingsError, get_settings
from prompts import LookupConfigError, PackError
from sessions import Store, StoreError, upgrade
from telemetry.logs import configure_logs

Before = Callable[[Settings], Awaitable[None]]


async def migrated(settings: Settings) -> None:
    """Bring the database's schema up to date. Raises sessions.Unavailable, ValueError for a foreign URL."""
    await upgrade(settings.database_url)


def execute(parser: ArgumentParser, argv: Sequence[str] | None = None, *, before: Before = migrated) -> int:
    """Do what the arguments say and print what came of it; 0, or 1 and one sentence on standard error.

    `before` makes sure that what the command looks for is there: the schema, or with `prepare` the demo site too.
    """
    given = parser.parse_args(argv)
    configure_logs("warning", sys.stderr)
    try:
        print(*asyncio.run(_executed(given, before)), sep="\n")
    except (SettingsError, PackError, LookupConfigError, StoreError, ValueError) as error:
        print(f"{parser.prog.rpartition('.')[2]}: {error}", file=sys.stderr)
        return 1
    return 0


async def _executed(given: Namespace, before: Before) -> list[str]:
    settings = ensure_keys(get_settings())
    await before(settings)
    store = Store(settings.database_url)
    await store.open()
    try:
        async with (store.read if getattr(given, "reads", False) else store.begin)() as repo:
            return await given.run(repo, given)
    finally:
        await store.close()
