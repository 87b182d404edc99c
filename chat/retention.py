"""What is older than the settings allow goes, an hour at the latest after its time. Traces expire by themselves."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from sessions import Store, Unavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


async def keep_sweeping(store: Store, retention: timedelta | None) -> None:
    """Sweep until cancelled. A database that is away for a moment is swept the next time."""
    while True:
        try:
            await sweep(store, retention)
        except Unavailable:
            log.warning("store_unavailable", loop="retention")
        except Exception:
            log.exception("retention_failed")
        await asyncio.sleep(EVERY.total_seconds())


async def sweep(store: Store, retention: timedelta | None) -> None:
    """Delete what is due now: conversations beyond `retention` (None keeps them), answers to repeated calls."""
    async with store.begin() as repo:
        await repo.idempotency.expire()
    if retention is None:
        return
    older_than, total = datetime.now(UTC) - retention, 0
    while gone := await _expire(store, older_than):
        total += gone
    log.info("conversations_expired", count=total)


async def _expire(store: Store, older_than: datetime) -> int:
    async with store.begin() as repo:
        return await repo.conversations.expire(older_than)
