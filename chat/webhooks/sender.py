"""Sends what is due. Any `web` process does: the store gives each delivery to one of them at a time.

A process that dies in mid-try leaves its delivery to whoever is alive once the lease is over. So a program may be told
the same twice, always under the same `webhook-id`; the order is not promised.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import aiohttp
import structlog

from chat.webhooks.payload import body_of, headers_of
from chat.webhooks.targets import Forbidden, PublicResolver, check_url
from sessions import Due, Store, Unavailable
from telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
AT_ONCE = 16
AT_ONCE_PER_ENDPOINT = 4
"""One program that does not answer leaves room for the others."""
LEASE_MARGIN_S = 20.0
FIRST_DELAY_S = 5.0
GROWTH = 3
MOST_TRIES = 10
"""Five seconds, then three times as long each time: the tenth try comes after some fourteen hours."""
GONE = 410


class Sender:
    """One process's deliveries. `private` allows targets inside the house."""

    def __init__(self, store: Store, metrics: Metrics, *, timeout: timedelta, private: bool) -> None:
        self._store, self._metrics = store, metrics
        self._timeout_s, self._private = timeout.total_seconds(), private
        self._running: dict[asyncio.Task[None], str] = {}

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with self._session() as session:
            try:
                while True:
                    self._store.posted.clear()
                    try:
                        await self._start_due(session)
                    except Unavailable:
                        log.warning("store_unavailable", loop="webhooks")
                    except Exception:
                        log.exception("webhooks_not_sent")
                    await self._news()
            finally:
                for task in self._running:
                    task.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)

    async def _news(self) -> None:
        """Wait for something new to send, for room to send it in, or for a look at what is due again."""
        if len(self._running) >= AT_ONCE:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_EVERY_S)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._store.posted.wait(), LOOK_EVERY_S)

    async def _start_due(self, session: aiohttp.ClientSession) -> None:
        while len(self._running) < AT_ONCE and (due := await self._claim()):
            task = asyncio.create_task(self._deliver(session, due), name=f"webhook {due.id}")
            self._running[task] = due.endpoint_id
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._store.posted.set()  # there is room for another one

    async def _claim(self) -> Due | None:
        async with self._store.read() as repo:
            if not await repo.outbox.is_due():
                return None
        busy = Counter(self._running.values())
        full = [endpoint_id for endpoint_id, tries in busy.items() if tries >= AT_ONCE_PER_ENDPOINT]
        async with self._store.begin() as repo:
            return await repo.outbox.claim(self._timeout_s + LEASE_MARGIN_S, full)

    async def _deliver(self, session: aiohttp.ClientSession, due: Due) -> None:
        try:
            status, error = await self._post(session, due)
            outcome = await self._settle(due, status, error)
        except Unavailable:
            log.warning("store_unavailable", loop="webhooks", delivery=due.id)
            return
        except Exception:
            log.exception("webhook_failed", delivery=due.id)
            return
        self._metrics.webhook_deliveries.labels(outcome).inc()
        log.info("webhook", delivery=due.id, endpoint=due.endpoint_id, kind=due.kind, outcome=outcome, status=status)

    async def _post(self, session: aiohttp.ClientSession, due: Due) -> tuple[int | None, str | None]:
        """One try: (status, None) after any answer, (None, why) without one."""
        try:
            check_url(due.url, private=self._private)
            body = body_of(due)
            request = session.post(due.url, data=body.encode(), headers=headers_of(due, body), allow_redirects=False)
            async with request as response:
                return response.status, None
        except TimeoutError:
            return None, f"no answer within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            refused = isinstance(fault, ValueError) or isinstance(getattr(fault, "os_error", fault), Forbidden)
            return None, "target not allowed" if refused else type(fault).__name__

    async def _settle(self, due: Due, status: int | None, error: str | None) -> str:
        told = error or f"answered {status}"
        async with self._store.begin() as repo:
            if status is not None and 200 <= status < 300:
                await repo.outbox.delivered(due, status)
                return "delivered"
            if status == GONE:
                await repo.outbox.give_up(due, status=status, error=told)
                await repo.webhooks.disable(due.endpoint_id, told)
                return "gone"
            if due.tries >= MOST_TRIES or error == "target not allowed":
                await repo.outbox.give_up(due, status=status, error=told)
                return "dead"
            await repo.outbox.retry(due, delay_s(due.tries), status=status, error=told)
            return "retry"

    def _session(self) -> aiohttp.ClientSession:
        # A name is looked up for every connection, none is kept: an endpoint hears of us a few times a minute.
        connector = aiohttp.TCPConnector(
            limit=AT_ONCE, resolver=None if self._private else PublicResolver(), use_dns_cache=False, force_close=True
        )
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar, trust_env=False)


def delay_s(tries: int) -> float:
    """How long to wait after so many tries; a fifth more or less, so that what failed together comes back apart."""
    return FIRST_DELAY_S * GROWTH ** (tries - 1) * random.uniform(0.8, 1.2)
