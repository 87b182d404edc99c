"""What is older than the settings allow goes, an hour at the latest after its time. Traces expire by themselves."""

import asyncio
from datetime import timedelta

import structlog

from chat.limits import Limits
from sessions import Store, Unavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


async def keep_tidy(store: Store, limits: Limits, retention: timedelta | None) -> None:
    """Tidy until cancelled. A database that is away for a moment is tidied the next time."""
    while True:
        limits.tidy()
        try:
            log.info("tidied", conversations_removed=await store.tidy(retention))
        except Unavailable:
            log.warning("store_unavailable", loop="retention")
        except Exception:
            log.exception("tidy_failed")
        await asyncio.sleep(EVERY.total_seconds())
