"""The loader on somebody's website: the launcher, the frame, the JS API, what the website's own styles cannot do."""

import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.chat.browser.shop import Shop, written
from tests.chat.widget.conftest import PHONE, answered, frame_of, opened, say, until
from tests.chat.widget.website import Website

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

LAUNCHER = (1280 - 50, 860 - 50)
GREEN = (15, 107, 92)


async def colour(page: "Page", at: tuple[int, int]) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(await page.screenshot()))
    return picture.convert("RGB").getpixel(at)


async def tree(page: "Page") -> list[tuple[str, str, bool | None]]:
    """(role, name, expanded) as assistive technology is told them, closed shadow roots included."""
    session = await page.context.new_cdp_session(page)
    nodes = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    shown = [node for node in nodes if not node["ignored"] and "name" in node]
    return [
        (
            node["role"]["value"],
            node["name"]["value"],
            next((each["value"]["value"] for each in node["properties"] if each["name"] == "expanded"), None),
        )
        for node in shown
    ]


async def test_nothing_but_the_script_is_loaded_before_the_chat_is_opened(visit: "Visit", website: Website) -> None:
    page = await visit(website.put())
    assert len(page.frames) == 1
    assert await page.evaluate("document.querySelector('pindesk-widget').shadowRoot") is None
    assert ("button", "Open the chat", False) in await tree(page)
    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert stored == '[{},{},""]'


async def test_the_chat_is_opened_and_closed_by_keyboard(visit: "Visit", website: Website) -> None:
    page = await visit(website.put())
    await page.locator("a").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    frame = await frame_of(page)
    await until(lambda: frame.evaluate("document.activeElement.id === 'text'"))
    assert ("button", "Close the chat", True) in await tree(page)
    await page.keyboard.press("Escape")
    await until(lambda: page.evaluate("document.activeElement.localName === 'pindesk-widget'"))
    assert ("button", "Open the chat", False) in await tree(page)
    await page.keyboard.press("Space")
    await until(lambda: frame.evaluate("document.activeElement.id === 'text' && document.hasFocus()"))


async def test_a_click_on_the_launcher_opens_and_closes(visit: "Visit", website: Website) -> None:
    page = await visit(website.put())
    await page.evaluate("window.seen = []; for (const n of ['open', 'close']) Pindesk.on(n, () => seen.push(n)); null")
    await page.mouse.click(*LAUNCHER)
    await frame_of(page)
    await page.mouse.click(*LAUNCHER)
    await page.wait_for_function("seen.join() === 'open,close'")


async def test_calls_from_before_the_script_are_kept(visit: "Visit", website: Website) -> None:
    early = "<script>(window.Pindesk ||= []).push(['prefill', 'From before']); Pindesk.push(['open'])</script>"
    page = await visit(website.put(head=early))
    frame = await frame_of(page)
    await until(lambda: frame.evaluate("document.querySelector('#text').value === 'From before'"))


async def test_events_tell_the_website_what_happens(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(delay_s=0.02))
    page = await visit(website.put())
    await page.evaluate(
        """() => {
          window.seen = [];
          for (const name of ["ready", "open", "close", "message", "unread"])
            Pindesk.on(name, (detail) => seen.push([name, detail.role ?? detail.count ?? null]));
          Pindesk.send("How can I pay?");
        }"""
    )
    frame = await frame_of(page)
    await frame.locator(".line.live").wait_for()
    await page.evaluate("Pindesk.close()")
    await page.wait_for_function("seen.some(([name, count]) => name === 'unread' && count === 1)")
    assert ("button", "Open the chat (1 unread)", False) in await tree(page)
    await page.evaluate("Pindesk.open()")
    await page.wait_for_function("seen.at(-1)[0] === 'unread' && seen.at(-1)[1] === 0")
    assert await page.evaluate("seen") == [
        ["ready", None], ["open", None], ["close", None], ["message", "assistant"], ["unread", 1], ["open", None],
        ["unread", 0],
    ]  # fmt: skip


async def test_it_can_be_hidden_and_shown(visit: "Visit", website: Website) -> None:
    page = await visit(website.put())
    assert await colour(page, (LAUNCHER[0] - 24, LAUNCHER[1])) == GREEN
    await page.evaluate("Pindesk.hide()")
    assert await colour(page, (LAUNCHER[0] - 24, LAUNCHER[1])) == (255, 255, 255)
    await page.evaluate("Pindesk.show()")
    assert await colour(page, (LAUNCHER[0] - 24, LAUNCHER[1])) == GREEN


async def test_a_listener_that_throws_stops_nobody(visit: "Visit", website: Website) -> None:
    page = await visit(website.put())
    await page.evaluate(
        "Pindesk.on('open', () => { throw new Error('theirs') }); Pindesk.on('open', () => (window.heard = 1)); null"
    )
    await opened(page)
    assert await page.evaluate("heard") == 1


async def test_the_shops_own_styles_stay_outside(visit: "Visit", shop: Shop) -> None:
    """The demo shop hides frames, moves strangers off the screen and paints everything of theirs pink."""
    page = await visit(f"{shop.url}demo-shop")
    assert await colour(page, (LAUNCHER[0] - 24, LAUNCHER[1])) == GREEN
    await page.mouse.click(*LAUNCHER)
    frame = await frame_of(page)
    box = await (await frame.frame_element()).bounding_box()
    assert (box["width"], box["height"], box["x"] + box["width"]) == (400, 680, 1260)
    await page.wait_for_timeout(400)  # it has faded in
    assert await colour(page, (int(box["x"]) + 200, int(box["y"]) + 4)) == GREEN
    assert await frame.locator("h1").evaluate("node => getComputedStyle(node).fontSize") == "15.9375px"


async def test_a_page_swap_leaves_the_frame_as_it_is(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(f"{shop.url}demo-shop")
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await answered(frame)
    await frame.evaluate("window.mark = 1")
    await page.get_by_role("link", name="Lamps").click()
    await page.get_by_role("heading", name="Lamps", exact=True).wait_for()
    assert await frame.evaluate("window.mark") == 1
    assert await page.locator("pindesk-widget").count() == 1
    await page.evaluate("document.open(); document.write('<h1>Another page</h1>'); document.close()")
    await page.locator("pindesk-widget").wait_for(state="attached")
    assert await answered(await frame_of(page))


async def test_it_is_open_again_on_the_next_page(visit: "Visit", website: Website, shop: Shop) -> None:
    page = await visit(website.put())
    frame = await opened(page)
    await frame.locator("#text").fill("Not sent yet")
    await page.wait_for_function("sessionStorage['pindesk:lamps']?.includes('Not sent yet')")
    await page.goto(website.put())
    frame = await frame_of(page)
    assert await frame.locator("#text").input_value() == "Not sent yet"
    assert await page.evaluate("document.activeElement.localName") == "body", "the website's page keeps the focus"


async def test_on_a_phone_the_chat_fills_the_screen(visit: "Visit", website: Website) -> None:
    meta = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    page = await visit(website.put(head=meta), **PHONE)
    frame = await opened(page)
    box = await (await frame.frame_element()).bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert await frame.evaluate("document.documentElement.scrollWidth") == 390
    await frame.get_by_role("button", name="Close the chat").click()
    await until(lambda: page.evaluate("document.activeElement.localName === 'pindesk-widget'"))


async def test_the_website_dresses_it_by_custom_properties(visit: "Visit", website: Website) -> None:
    page = await visit(website.put(head="<style>:root { --pindesk-accent: rgb(255, 220, 90); }</style>"))
    assert await colour(page, (LAUNCHER[0] - 24, LAUNCHER[1])) == (255, 220, 90)
    frame = await opened(page)
    head = frame.locator(".head")
    assert await head.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(255, 220, 90)"
    assert await head.evaluate("node => getComputedStyle(node).color") == "oklch(0 0 0)", "legible on yellow"
    await page.evaluate("Pindesk.setTheme({accent: '#402060', scheme: 'dark'})")
    await until(lambda: head.evaluate("node => getComputedStyle(node).color === 'oklch(1 0 0)'"))
    assert await frame.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 21, 19)"
    await page.evaluate("Pindesk.setTheme({accent: 'url(//evil.example/x)'})")
    await until(lambda: head.evaluate("node => getComputedStyle(node).backgroundColor === 'rgb(64, 32, 96)'"))


async def test_private_windows_without_storage_work(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    refuse = "Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError') }})"
    page = await visit(
        website.put(head=f"<script>for (const name of ['localStorage', 'sessionStorage']) {refuse}</script>")
    )
    frame = await opened(page)
    await say(frame, "How can I pay?")
    assert (await answered(frame)).startswith("You can pay by Visa")
