"""The page's live view: one generator a page that tails the store's log. Ending it ends nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from chat.browser.view import Transcript, View
from chat.services import Services
from chat.streams import StreamKind
from sessions import Customer, NotFound, StoreError

HEARTBEAT_S = 10.0
"""How often a silent tail yields. Gradio notices that a page is gone only when its generator has yielded again."""
FIRST_S = 0.3
"""How long the first view waits for the log; then a conversation without any event is shown as empty."""


class Followers:
    """Which tail belongs to which page: a page that follows another conversation leaves the one before."""

    def __init__(self) -> None:
        self._of_page: dict[str, Follower] = {}

    def __len__(self) -> int:
        return len(self._of_page)

    @contextmanager
    def enter(self, page: str) -> Iterator["Follower"]:
        """`page` is Gradio's session hash: a client's own word, which can end no tail but that client's."""
        self.leave(page)
        follower = self._of_page[page] = Follower()
        try:
            yield follower
        finally:
            if self._of_page.get(page) is follower:
                del self._of_page[page]

    def leave(self, page: str) -> None:
        if earlier := self._of_page.pop(page, None):
            earlier.left = True
            earlier.wake.set()


class Follower:
    """`wake` is set when there is something new to show, or when the page has left."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.left = False


async def follow(
    services: Services, followers: Followers, page: str, conversation_id: str, token: str
) -> AsyncIterator[View]:
    """Yield the view of the conversation now and after each change, until the page leaves or the server stops.

    The last view says why there is no other one: `gone` (nothing there for this token) or `ended` (follow again).
    """
    with followers.enter(page) as follower, services.streams.open(StreamKind.CONVERSATION) as end:
        try:
            customer, seen = await _begin(services, conversation_id, token)
            async with aclosing(_views(services, customer, seen, conversation_id, follower, end)) as views:
                async for view in views:
                    yield view
        except NotFound:
            yield {"conversation": conversation_id, "gone": True}
            return
        except StoreError:
            end.set()
        if not follower.left:
            yield {"conversation": conversation_id, "ended": True}


async def _begin(services: Services, conversation_id: str, token: str) -> tuple[Customer, Transcript]:
    async with services.store.read() as repo:
        customer = await repo.conversations.by_tokens([token])
        if customer is None or conversation_id not in customer.conversation_ids:
            raise NotFound("no such conversation")
        return customer, Transcript(conversation_id, await repo.messages.votes(customer, conversation_id))


async def _views(
    services: Services,
    customer: Customer,
    seen: Transcript,
    conversation_id: str,
    follower: Follower,
    end: asyncio.Event,
) -> AsyncIterator[View]:
    """All events that arrive at once make one view."""

    async def pump() -> None:
        try:
            async with aclosing(services.store.feed.tail(customer, conversation_id, stop=end)) as events:
                async for event in events:
                    seen.apply(event)
                    follower.wake.set()
        finally:
            follower.wake.set()

    reading = asyncio.create_task(pump())
    patience_s = FIRST_S
    try:
        while not (reading.done() or follower.left):
            await _woken(follower.wake, patience_s)
            patience_s = HEARTBEAT_S
            yield seen.view()
        if reading.done():
            reading.result()
            if not end.is_set():
                raise NotFound("the conversation was deleted")
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def _woken(wake: asyncio.Event, patience_s: float) -> None:
    """Wait until there is something to show, or as long as `patience_s`."""
    try:
        async with asyncio.timeout(patience_s):
            await wake.wait()
    except TimeoutError:
        return
    wake.clear()
