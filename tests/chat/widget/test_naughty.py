"""A public list of naughty strings through every field of the widget: nothing runs, nothing is loaded."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from tests.chat.browser.shop import Shop
from tests.chat.naughty import NAUGHTY, PARTS, WORDS, shown, speak_all, stored
from tests.chat.widget.conftest import ask_for_a_person, frame_of, hand_in, opened, until
from tests.chat.widget.test_page import held
from tests.chat.widget.website import Website

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def test_everything_that_is_said_is_text(visit: "Visit", website: Website, shop: Shop) -> None:
    page = await visit(website.put())
    frame = await opened(page)
    await ask_for_a_person(frame)
    before, outside = await frame.evaluate(PARTS), await page.evaluate(PARTS)
    [conversation_id] = [each["id"] for each in await held(page)]
    await speak_all(shop, conversation_id)
    words = [stored(word) for word in WORDS]
    for again in (False, True):
        if again:
            await page.reload()
            frame = await frame_of(page)
        await frame.locator(".line.assistant").nth(len(WORDS) - 1).wait_for(timeout=60_000)
        assert [text for _, text in await shown(frame, "customer")] == words
        assert [text for _, text in await shown(frame, "assistant")] == words
        assert [text for _, text in await shown(frame, "agent")] == words
        assert [by for by, _ in await shown(frame, "agent")] == words
        assert await frame.locator(".choices button").all_text_contents() == words[-1:]
        assert await frame.evaluate(PARTS) == before
        assert await page.evaluate(PARTS) == outside


async def test_what_is_typed_and_handed_in_is_text(visit: "Visit", website: Website) -> None:
    page = await visit(website.put())
    frame = await opened(page)
    before = await frame.evaluate(PARTS)
    await hand_in(page, NAUGHTY)
    # A field of several lines writes every line's end as \n.
    typed = "(last) => document.querySelector('#text').value === last"
    await until(lambda: frame.evaluate(typed, NAUGHTY[-1].replace("\r\n", "\n").replace("\r", "\n")))
    assert await frame.evaluate(PARTS) == before
