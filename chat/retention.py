"""What is older than the settings allow goes, an hour at the latest after its time. Traces expire by themselves."""

import asyncio
from datetime import timedelta

import structlog

from chat.limits import Limits
from sessions import Lifetime, Store, Unavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


async def keep_tidy(
    store: Store,
    limits: Limits,
    retention: timedelta | None,
    *,
    audit: timedelta | None = None,
    sessions: Lifetime | None = None,
) -> None:
    """Tidy until cancelled. A database that is away for a moment is tidied the next time.

    `retention` is how long conversations are kept, `audit` entries of the audit log; None means for ever. `sessions`
    says how long those of the staff live.
    """
    while True:
        limits.tidy()
        try:
            if sessions is not None:
                async with store.begin() as repo:
                    await repo.people.expire_sessions(sessions)
            log.info("tidied", conversations_removed=await store.tidy(retention, audit=audit))
        except Unavailable:
            log.warning("store_unavailable", loop="retention")
        except Exception:
            log.exception("tidy_failed")
        await asyncio.sleep(EVERY.total_seconds())
