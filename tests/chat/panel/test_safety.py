"""Whatever customers, packs and agents write is text; nobody frames the panel who may not."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.chat.browser.shop import Shop
from tests.chat.browser.test_page_safety import HOSTILE
from tests.chat.panel.conftest import Talk
from tests.chat.panel.shop_talk import reply, suggested, summed
from tests.chat.panel.test_queue import row

if TYPE_CHECKING:
    from playwright.async_api import Page

    Sit = Callable[..., Awaitable[Page]]
    Open = Callable[..., Awaitable[Talk]]

pytestmark = pytest.mark.browser

MORE = [
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
    "<a href='javascript:alert(1)'>x</a>",
    "\u2067x\u2069\u202d",
]


@pytest.mark.parametrize("text", [*HOSTILE, *MORE])
async def test_hostile_text_in_every_field_stays_text(sit: "Sit", talk: "Open", desk: Shop, text: str) -> None:
    """In the message, the demand, the contact, an agent's line, a note, a summary, a rating and the search."""
    one = await talk(text, reply=reply("complaint", demand=text))
    await one.leaves(text, text)
    page = await sit()
    await row(page, one).click()
    await page.locator(".line.customer").nth(1).wait_for()
    desk.engine.enqueue(*suggested(reply("complaint")))
    await page.keyboard.press("t")
    await page.get_by_label("Your reply").fill(text)
    await page.keyboard.press("Control+Enter")
    await page.locator(".line.agent").first.wait_for()
    desk.engine.enqueue(summed([text], [text], [text]))
    await page.get_by_role("button", name="Sum up").click()
    await page.locator(".summary h4").first.wait_for()
    await page.get_by_role("button", name="Hand back").click()
    await page.get_by_label("Note for the bot").fill(text)
    await page.keyboard.press("Control+Enter")
    await page.locator(".line.note").wait_for()
    await one.rates(1, text)
    await page.get_by_label("Search conversations").fill(text)
    await page.reload()
    await page.locator(".line.note").wait_for()
    for bubble in await page.locator(".line:is(.customer, .agent, .note) .bubble").all():
        assert await bubble.evaluate("node => node.textContent") == text.strip()
        assert await bubble.evaluate("node => node.childElementCount") == 0
        assert await bubble.evaluate("node => getComputedStyle(node).unicodeBidi") in ("isolate", "plaintext")
    assert await page.evaluate("document.querySelectorAll('script, iframe, img, math, object, embed').length") == 1
    assert await page.evaluate("[...document.querySelectorAll('a')].every((a) => a.protocol.startsWith('http'))")


def test_pages_allow_nothing_but_their_own_files(desk: Shop) -> None:
    for path in ("agent", "agent/login", "agent?embed=1", "agent/login?popup=1"):
        policy = httpx.get(desk.url + path).headers["content-security-policy"]
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert parts["default-src"] == "'none'" and parts["script-src"] == parts["style-src"] == "'self'"
        assert parts["require-trusted-types-for"] == "'script'" and parts["trusted-types"] == "'none'"
        assert parts["base-uri"] == "'none'" and "unsafe" not in policy


def test_only_the_side_panel_is_framed_and_only_where_it_may(desk: Shop) -> None:
    def ancestors(path: str) -> str:
        return httpx.get(desk.url + path).headers["content-security-policy"].rpartition("frame-ancestors ")[2]

    assert ancestors("agent") == ancestors("agent/login") == ancestors("agent/login?popup=1") == "'none'"
    assert ancestors("agent?embed=1") == "http://localhost:9999"
    assert httpx.get(desk.url + "agent").headers["cross-origin-opener-policy"] == "same-origin"
    assert httpx.get(desk.url + "agent/login?popup=1").headers["cross-origin-opener-policy"] == "unsafe-none"
