"""Widths, colours and assistive technology. With PINDESK_TEST_SCREENSHOTS=DIR every state is kept as a picture."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.chat.browser.shop import Shop
from tests.chat.browser.test_page_looks import PHONE
from tests.chat.panel.conftest import Talk
from tests.chat.panel.shop_talk import TRACK, reply, suggested, summed
from tests.chat.panel.test_queue import row, tab

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    Sit = Callable[..., Awaitable[Page]]
    Open = Callable[..., Awaitable[Talk]]

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1360, "height": 850}}
ANGRY = reply(
    "refund_late", order_id="10240", amount=None, date=None, demand="Wants the refund of order 10240", sentiment="angry"
)
LATE = reply("order_late", order_id="10234", date=None, demand="Says that order 10234 is late", sentiment="negative")


async def fine(page: "Page", name: str) -> None:
    """No violation, nothing wider than the window."""
    if folder := os.environ.get("PINDESK_TEST_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"panel-{name}.png")
    found = await Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    told = [(each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found.response["violations"]]
    assert told == [], json.dumps(told, indent=1)
    width, window = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
async def test_every_state_is_readable_for_everybody(
    sit: "Sit", talk: "Open", desk: Shop, colours: str, size: dict[str, object]
) -> None:
    name = f"{'phone' if size is PHONE else 'wide'}-{colours}"
    angry = await talk("Hello, I sent back 10240.", "I want my refund for 10240 now!", reply=ANGRY)
    await angry.asks_for_a_human()
    one = await talk("Hi! Where is my order 10234?", reply=TRACK)
    desk.engine.enqueue(*suggested(LATE))
    await one.says("But it should have been here by now.")
    await one.asks_for_a_human()
    page = await sit(color_scheme=colours, **size)
    await row(page, one).wait_for()
    await fine(page, f"queue-{name}")
    await row(page, one).click()
    await page.locator(".line.assistant").nth(1).wait_for()
    await page.locator(".makings summary").first.click()
    await fine(page, f"view-{name}")
    desk.engine.enqueue(*suggested())
    await page.get_by_role("button", name="Take over").click()
    await page.locator(".suggestion").nth(2).wait_for()
    await page.locator(".insert").first.click()
    desk.engine.enqueue(summed(["order 10234", "Linen table lamp"], ["where the order is"], []))
    await page.get_by_role("button", name="Sum up").click()
    await page.locator(".summary h4").first.wait_for()
    await fine(page, f"assist-{name}")
    await page.get_by_role("button", name="Trace").first.click()
    await page.get_by_text("choose a replica").wait_for()
    await fine(page, f"trace-{name}")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Hand back").click()
    await fine(page, f"handback-{name}")
    await page.get_by_role("button", name="Cancel", exact=True).click()
    if size is WIDE:
        await page.locator(".demand").focus()
        await page.keyboard.press("?")
        await fine(page, f"keys-{name}")
        await page.keyboard.press("Escape")
        await tab(page, "Closed").click()
        await page.get_by_label("Search conversations").fill("nothing like this")
        await page.get_by_text("Nothing fits.").wait_for()
        await fine(page, f"none-{name}")
    else:
        await page.get_by_role("button", name="Back to the queue").click()
        await row(page, angry).wait_for()


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_door_is_readable_for_everybody(chromium: "Browser", desk: Shop, colours: str) -> None:
    page = await (await chromium.new_context(color_scheme=colours, **WIDE)).new_page()
    await page.goto(desk.url + "agent/login?error=unknown_account")
    await page.get_by_role("alert").wait_for()
    await fine(page, f"door-{colours}")


async def test_screen_readers_are_told_of_new_lines_once(sit: "Sit", talk: "Open", desk: Shop) -> None:
    one = await talk("Hi! Where is my order 10234?", reply=TRACK)
    await one.asks_for_a_human()
    page = await sit()
    await row(page, one).click()
    log = page.get_by_role("log", name="Messages")
    await log.wait_for()
    assert await log.get_attribute("aria-live") == "polite"
    headings = await page.get_by_role("heading", level=2).all_text_contents()
    assert headings == ["Wants to know where order 10234 is"]
    landmarks = {
        name: await page.get_by_role(name).count() for name in ("navigation", "main", "complementary", "search")
    }
    assert landmarks == {"navigation": 1, "main": 1, "complementary": 1, "search": 1}
