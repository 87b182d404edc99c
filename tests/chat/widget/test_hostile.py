"""Hostile words through every field of the widget: nothing runs, nothing is loaded, everything is shown as text."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from sessions import Repository, Role, Server
from tests.chat.browser.shop import Shop
from tests.chat.widget.conftest import ask_for_a_person, frame_of, hand_in, opened, until
from tests.chat.widget.polyglots import WORDS
from tests.chat.widget.test_page import held
from tests.chat.widget.website import Website

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

SHOWN = """() => [...document.querySelectorAll('.line.agent .bubble, .line.agent .by')].map((node) =>
  [node.textContent, node.childElementCount])"""


async def test_what_agents_write_and_are_called_is_text(visit: "Visit", website: Website, shop: Shop) -> None:
    page = await visit(website.put())
    frame = await opened(page)
    await ask_for_a_person(frame)
    [conversation_id] = [each["id"] for each in await held(page)]

    async def write(repo: Repository) -> None:
        for word in WORDS:
            await repo.conversations.takeover(Server(), conversation_id, word)
            await repo.conversations.say(Server(), conversation_id, Role.AGENT, word)
            await repo.conversations.handback(Server(), conversation_id)
        await repo.conversations.takeover(Server(), conversation_id, WORDS[0])

    await shop.write(write)
    await frame.locator(".line.agent").nth(len(WORDS) - 1).wait_for()
    shown = await frame.evaluate(SHOWN)
    expected = [word.replace("\x00", "\ufffd") for word in WORDS]
    assert [text for text, _ in shown[1::2]] == expected
    assert {children for _, children in shown} == {0}
    assert await frame.locator(".presence [data-part=presence]").inner_text() == f"{WORDS[0]} is here"
    await page.reload()
    frame = await frame_of(page)
    await frame.locator(".line.agent").nth(len(WORDS) - 1).wait_for()
    assert [text for text, _ in (await frame.evaluate(SHOWN))[1::2]] == expected


async def test_what_the_website_hands_in_is_text(visit: "Visit", website: Website) -> None:
    """By the JS API, and by messages with any content from the right origin."""
    page = await visit(website.put())
    frame = await opened(page)
    await hand_in(page, WORDS)
    typed = "(last) => document.querySelector('#text').value === last"
    await until(lambda: frame.evaluate(typed, WORDS[-1]))
    assert await frame.locator("h1").inner_text() == "Lumen & Loom"
    assert await frame.locator("script:not([src]), style, iframe, img, object").count() == 0


async def test_what_storage_holds_is_not_trusted(visit: "Visit", website: Website) -> None:
    """Anybody's script on the website can write there: odd shapes must not break the chat, nor words run."""
    page = await visit(website.put())
    planted = json.dumps({"conversations": [{"id": word, "token": word} for word in WORDS]})
    for kept in ("null", "[]", "7", "{", planted):
        await page.evaluate("(kept) => localStorage.setItem('pindesk:lamps', kept)", kept)
        await page.goto(website.put())
        frame = await opened(page)
        await frame.get_by_role("heading", name="How can we help?").wait_for()


@pytest.mark.parametrize("query", ["site", "origin", "locale"])
async def test_what_the_address_says_is_text(visit: "Visit", website: Website, shop: Shop, query: str) -> None:
    page = await visit(website.put())
    for word in WORDS[::2]:
        answer = await page.goto(f"{shop.url}widget?{urlencode({query: word})}")
        assert answer.status in (200, 422)
        assert await page.locator("script:not([src]), style").count() == 0
