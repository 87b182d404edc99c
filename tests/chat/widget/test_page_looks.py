"""The page's languages, colours, widths, and what assistive technology is told."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe

from chat.widget.files import LOCALES, strings
from tests.chat.browser.shop import Shop, written
from tests.chat.widget.conftest import DESKTOP, PHONE, answered, opened, say
from tests.chat.widget.website import Website

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]


def _keys(texts: dict, prefix: str = "") -> set[str]:
    found = set()
    for name, value in texts.items():
        found |= _keys(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_every_text(locale: str) -> None:
    assert _keys(strings(locale)) == _keys(strings("en"))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("lang", "title", "direction"),
    [("ar", "كيف يمكننا مساعدتك؟", "rtl"), ("zh-CN", "有什么可以帮您？", "ltr"), ("fr", "How can we help?", "ltr")],
)
async def test_the_frame_speaks_the_visitors_language(
    visit: "Visit", website: Website, lang: str, title: str, direction: str
) -> None:
    page = await visit(website.put(), locale=lang)
    frame = await opened(page)
    await frame.get_by_role("heading", name=title).wait_for()
    assert await frame.evaluate("document.documentElement.dir") == direction


@pytest.mark.browser
async def test_the_website_chooses_and_changes_the_language(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put(data=' data-locale="ar"'))
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await answered(frame)
    send, text = frame.locator(".send"), frame.locator("#text")
    assert (await send.bounding_box())["x"] < (await text.bounding_box())["x"], "mirrored"
    bubble = frame.locator(".line.assistant .bubble")
    assert await bubble.evaluate("node => getComputedStyle(node).direction") == "ltr", "English stays English"
    await page.evaluate("Pindesk.setLocale('zh-TW')")
    await frame.locator(".by").get_by_text("助手").wait_for()
    assert await frame.evaluate("document.documentElement.dir") == "ltr"


@pytest.mark.browser
async def test_a_reply_is_announced_sentence_by_sentence(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(delay_s=0.05))
    page = await visit(website.put())
    frame = await opened(page)
    await frame.evaluate(
        """() => {
          window.announced = [];
          const region = document.querySelector('[data-part=announce]');
          new MutationObserver((changes) => changes.forEach(({addedNodes}) =>
            addedNodes.forEach((node) => announced.push(node.textContent)))).observe(region, {childList: true});
        }"""
    )
    await say(frame, "How can I pay?")
    text = await answered(frame)
    announced = json.loads(await frame.evaluate("JSON.stringify(announced)"))
    assert " ".join(announced) == text
    assert all(part.endswith(".") for part in announced)
    await page.reload()
    frame = await opened(page)
    await answered(frame)
    assert await frame.locator("[data-part=announce]").inner_text() == "", "what was read before is not read again"


@pytest.mark.browser
async def test_reduced_motion_stands_still(visit: "Visit", website: Website) -> None:
    page = await visit(website.put(), reduced_motion="reduce")
    frame = await opened(page)
    assert await frame.evaluate("document.getAnimations().length") == 0


@pytest.mark.browser
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing(
    visit: "Visit", website: Website, shop: Shop, options: dict, color_scheme: str
) -> None:
    shop.engine.enqueue(written())
    meta = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    page = await visit(website.put(head=meta), color_scheme=color_scheme, **options)
    frame = await opened(page)
    await frame.wait_for_timeout(300)
    seen = [await Axe().run(frame)]
    await say(frame, "How can I pay?")
    await answered(frame)
    await frame.wait_for_timeout(300)  # colours are measured after they have faded in
    seen.append(await Axe().run(frame))
    await frame.get_by_role("button", name="More").click()
    seen.append(await Axe().run(frame))
    await frame.get_by_role("button", name="Delete my data").click()
    seen.append(await Axe().run(frame))
    await frame.get_by_role("button", name="Cancel").click()
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="End this conversation").click()
    await frame.locator(".stars").wait_for()
    seen.append(await Axe().run(frame))
    assert [violation for each in seen for violation in each.response["violations"]] == []


@pytest.mark.browser
@pytest.mark.parametrize("path", ["demo-shop", "widget/check?site=lamps&page=https://www.lamps.example/"])
async def test_axe_finds_nothing_on_the_pages_around(chromium: "object", shop: Shop, path: str) -> None:
    page = await chromium.new_page()
    await page.goto(shop.url + path)
    await page.wait_for_load_state("networkidle")
    assert (await Axe().run(page)).response["violations"] == []
