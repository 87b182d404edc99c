"""Languages, widths, colours and assistive technology."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.chat.browser.shop import Shop, written
from tests.chat.browser.test_page import answered, say

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def test_the_browsers_language_is_the_default_and_can_be_switched(visit: "Visit") -> None:
    page = await visit(locale="zh-CN")
    await page.get_by_role("heading", name="有什么可以帮您？").wait_for()
    assert await page.locator("html").get_attribute("lang") == "zh-CN"
    await page.get_by_role("button", name="EN", exact=True).click()
    await page.get_by_role("heading", name="How can we help?").wait_for()
    await page.reload()
    await page.get_by_role("heading", name="How can we help?").wait_for()


async def test_another_language_gets_english(visit: "Visit") -> None:
    page = await visit(locale="fr-FR")
    await page.get_by_role("heading", name="How can we help?").wait_for()


async def test_on_a_phone_the_conversations_are_a_drawer(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(**PHONE)
    await say(page, "How can I pay?")
    await answered(page)
    opener = page.get_by_role("button", name="Show your conversations")
    assert not await page.locator(".side").is_visible()
    await opener.click()
    await page.locator(".side .thread").wait_for()
    assert await opener.get_attribute("aria-expanded") == "true"
    await page.keyboard.press("Escape")
    await page.locator(".side").wait_for(state="hidden")
    assert await opener.evaluate("node => node === document.activeElement")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_colours_follow_the_system_until_they_are_chosen(visit: "Visit") -> None:
    page = await visit(color_scheme="dark")
    assert await page.locator("html").get_attribute("data-theme") == "dark"
    await page.get_by_role("button", name="Use light colours").click()
    await page.reload()
    await page.locator(".desk.awake").wait_for()
    assert await page.locator("html").get_attribute("data-theme") == "light"


async def test_a_reader_who_scrolled_up_stays_there(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written(), written(delay_s=0.03))
    page = await visit(viewport={"width": 1000, "height": 420})
    await say(page, "How can I pay?\n" * 20)
    await answered(page)
    box = page.locator(".scroll")
    assert await box.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 2
    await page.locator("textarea").fill("Again")
    await page.locator("textarea").press("Enter")
    await page.locator(".line.live").wait_for()
    await box.hover()
    await page.mouse.wheel(0, -10_000)
    await page.locator(".choices").wait_for(state="attached")
    assert await box.evaluate("node => node.scrollTop") == 0
    await page.get_by_role("button", name="Latest").click()
    assert await box.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 2


@pytest.mark.parametrize("first_px", [0, 200], ids=["grown", "shrunk first"])
async def test_a_line_that_outruns_the_scroll_before_it_is_followed(visit: "Visit", shop: Shop, first_px: int) -> None:
    """Also when the browser has scrolled up by itself, since the line before it went."""
    shop.engine.enqueue(written())
    page = await visit(viewport={"width": 1000, "height": 420})
    await say(page, "How can I pay?\n" * 20)
    await answered(page)
    box = page.locator(".scroll")
    await box.evaluate(
        """async (node, first) => {
          const lines = node.querySelector(".line").parentElement;
          const add = (height) => {
            const line = document.createElement("p");
            line.style.height = `${height}px`;
            lines.append(line);
            return line;
          };
          const before = add(first);
          await new Promise((done) => setTimeout(done, 200));
          before.remove();
          node.scrollTop;
          add(600);
          node.dispatchEvent(new Event("scroll"));
        }""",
        first_px,
    )
    await page.wait_for_timeout(200)
    assert await box.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 2
    assert await page.get_by_role("button", name="Latest").count() == 0


async def test_the_newest_line_stays_in_sight_over_a_long_draft(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(viewport={"width": 1000, "height": 420})
    await say(page, "How can I pay?\n" * 20)
    await answered(page)
    await page.locator("textarea").fill("and\n" * 5)
    await page.locator("textarea").press_sequentially("by invoice")
    await page.wait_for_timeout(200)
    box = page.locator(".scroll")
    assert await box.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 2


async def test_finished_replies_are_announced_once(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written(delay_s=0.02))
    page = await visit()
    await page.evaluate(
        """() => {
          window.announced = [];
          const region = document.querySelector('[data-part=announce]');
          new MutationObserver(() => announced.push(region.textContent)).observe(region, {childList: true});
        }"""
    )
    await say(page, "How can I pay?")
    text = await answered(page)
    assert json.loads(await page.evaluate("JSON.stringify(announced)")) == [text]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing(visit: "Visit", shop: Shop, options: dict, color_scheme: str) -> None:
    shop.engine.enqueue(written())
    page = await visit(color_scheme=color_scheme, **options)
    await page.locator(".starters button").first.wait_for()
    empty = await Axe().run(page)
    await say(page, "How can I pay?")
    await answered(page)
    await page.wait_for_timeout(400)  # colours are measured after they have faded in
    talked = await Axe().run(page)
    assert empty.response["violations"] + talked.response["violations"] == []
