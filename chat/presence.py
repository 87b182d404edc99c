"""Which of the staff are there: whoever has the queue open. And whether a stream's caller may still listen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

from fastapi import Request

from chat.auth import credentials, identify
from chat.errors import ApiError
from chat.services import Services
from prompts import Pack
from sessions import Away, Conversation, Repository, Staff, Unavailable

EVERY_S = 15.0
"""A third of how long a desk counts as open after it was last seen."""


@asynccontextmanager
async def at_the_desk(services: Services, agent: Staff) -> AsyncIterator[None]:
    """The agent is there for as long as the block lasts."""
    stream = uuid4().hex

    async def seen() -> None:
        async with services.store.begin() as repo:
            await repo.presence.seen(stream, agent)

    async with _repeated(seen):
        try:
            yield
        finally:
            await asyncio.shield(_gone(services, stream))


async def _gone(services: Services, stream: str) -> None:
    with suppress(Unavailable):
        async with services.store.begin() as repo:
            await repo.presence.gone(stream)


@asynccontextmanager
async def ended_with_access(services: Services, request: Request, end: asyncio.Event) -> AsyncIterator[None]:
    """Set `end` when the caller's session or key has ended while the block lasts: signed out, disabled, revoked."""
    shown = credentials(request, services.settings)

    async def look() -> None:
        try:
            await identify(services, shown)
        except ApiError:
            end.set()

    async with _repeated(look):
        yield


async def away(services: Services, repo: Repository, conversation: Conversation, pack: Pack) -> Away | None:
    """Why no human will answer at once; None when an agent of the site is there."""
    if await repo.presence.anybody(conversation.site_key):
        return None
    is_open = pack.hours is None or pack.hours.are_open(datetime.now(UTC))
    return Away.NOBODY if is_open else Away.CLOSED


@asynccontextmanager
async def _repeated(act: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do it at once, then again and again while the block lasts; a database that is away is asked the next time."""

    async def loop() -> None:
        while True:
            with suppress(Unavailable):
                await act()
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(loop())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
