"""A public list of naughty strings through every field of the browser chat: nothing runs, nothing is loaded."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from sessions import Repository, Server
from tests.chat.browser.shop import Shop, written
from tests.chat.browser.test_page import answered, say
from tests.chat.naughty import NAUGHTY, PARTS, WORDS, shown, speak_all, stored

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def newest(repo: Repository) -> list[str]:
    return [row.id for row in await repo.conversations.list(Server(), limit=1)]


async def test_everything_that_is_said_is_text(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit()
    await say(page, "How can I pay?")
    await answered(page)
    before = await page.evaluate(PARTS)
    [conversation_id] = await shop.write(newest)
    await speak_all(shop, conversation_id)
    words = [stored(word) for word in WORDS]
    for again in (False, True):
        if again:
            await page.reload()
        await page.locator(".line.assistant").nth(len(WORDS)).wait_for(timeout=90_000)
        assert [text for _, text in (await shown(page, "customer"))[1:]] == words
        assert [text for _, text in (await shown(page, "assistant"))[1:]] == words
        assert await shown(page, "agent") == list(zip(words, words, strict=True))
        assert await page.locator(".choices button").all_text_contents() == words[-1:]
        assert await page.evaluate(PARTS) == before


async def test_what_is_typed_is_text(visit: "Visit", shop: Shop) -> None:
    """The draft of each, and a message of them that becomes the conversation's name in the list."""
    shop.engine.enqueue(written())
    page = await visit()
    before = await page.evaluate(PARTS)
    for word in NAUGHTY:
        await page.locator("textarea").fill(word)
    await say(page, " ".join(NAUGHTY[200:230])[:2000].strip())
    await answered(page)
    assert await page.locator(".thread-title").evaluate("node => node.childElementCount") == 0
    assert await page.evaluate(PARTS) == before
