"""A page that outlives its server."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from tests.chat.browser.shop import Shop, slowly_written, written
from tests.chat.browser.test_page import LATE, LEAD, answered, say

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser


async def test_a_killed_server_costs_neither_the_reply_nor_the_draft(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE), written(LATE))
    page = await visit()
    await say(page, "Where is my order 10234? It is late.")
    await page.get_by_text(LEAD).wait_for()
    await page.locator("textarea").fill("What I was about to")
    await page.wait_for_timeout(400)
    shop.system.kill_web()
    await page.get_by_text("The connection was lost. Reconnecting…").wait_for()
    # On this thread, which the process is tied to: it would end with a worker of `to_thread`.
    shop.system.start_web()
    text = await answered(page)
    assert text.startswith(LEAD) and "10234" in text
    assert await page.locator(".line.assistant").count() == 1
    assert await page.locator("textarea").input_value() == "What I was about to"
    assert not await page.locator(".banner").is_visible()
