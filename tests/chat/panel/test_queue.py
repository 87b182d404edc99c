"""The door and the queue: signing in and out, push, tabs, search, filters, the title's number, the keyboard."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from tests.chat.browser.shop import Shop
from tests.chat.panel.conftest import PASSWORD, Talk
from tests.chat.panel.shop_talk import PAY, TRACK

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    Sit = Callable[..., Awaitable[Page]]
    Open = Callable[..., Awaitable[Talk]]

pytestmark = pytest.mark.browser

COUNT_TONES = """() => {
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) {
    window.tones += 1;
    return start.call(this, at);
  };
}"""


def row(page: "Page", one: Talk) -> "Locator":
    return page.locator(f'.row[data-id="{one.id}"]')


def tab(page: "Page", name: str) -> "Locator":
    return page.locator(".tabs").get_by_role("button", name=name)


async def test_door_opens_for_the_right_password_only(chromium: "Browser", desk: Shop) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(desk.url + "agent")
    await page.get_by_label("Mail address").fill("kim@example.com")
    await page.get_by_label("Password").fill("not the password")
    await page.keyboard.press("Enter")
    await page.get_by_role("alert").get_by_text("do not go together").wait_for()
    assert await page.get_by_label("Password").input_value() == ""
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator(".panel").wait_for()
    assert [cookie["httpOnly"] for cookie in await context.cookies()] == [True]
    assert await page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Password").wait_for()
    await page.goto(desk.url + "agent")
    await page.get_by_label("Password").wait_for()


async def test_whoever_guesses_is_told_when_to_try_again(chromium: "Browser", desk: Shop) -> None:
    page = await (await chromium.new_context()).new_page()
    await page.route(
        "**/api/v1/session",
        lambda route: route.fulfill(
            status=429, headers={"retry-after": "130"}, json={"code": "too_many_requests", "detail": "Too many."}
        ),
    )
    await page.goto(desk.url + "agent/login")
    await page.get_by_label("Mail address").fill("kim@example.com")
    await page.get_by_label("Password").fill("a guess")
    await page.keyboard.press("Enter")
    await page.get_by_role("alert").get_by_text("Too many attempts. Try again in 3 min.").wait_for()


async def test_queue_is_pushed_and_counts_in_the_title(sit: "Sit", talk: "Open") -> None:
    page = await sit()
    one = await talk("Where is my order 10234?", reply=TRACK)
    await page.wait_for_function("() => !document.querySelector('.note').textContent.includes('Loading')")
    await one.asks_for_a_human()
    await row(page, one).get_by_text("Wants to know where order 10234 is").wait_for()
    assert (await page.title()).startswith("(")
    assert await row(page, one).get_by_role("img").get_attribute("aria-label") == "mood: negative"
    await row(page, one).click()
    await page.get_by_role("button", name="Take over").click()
    await row(page, one).wait_for(state="detached")
    await tab(page, "Mine").click()
    await row(page, one).wait_for()


async def test_tabs_hold_what_they_say(sit: "Sit", talk: "Open") -> None:
    bot, waiting = await talk("How can I pay?", reply=PAY), await talk("Where is my order 10234?", reply=TRACK)
    await waiting.asks_for_a_human()
    page = await sit()
    await row(page, waiting).wait_for()
    assert await row(page, bot).count() == 0
    await tab(page, "Bot").click()
    await row(page, bot).wait_for()
    assert await row(page, waiting).count() == 0
    await page.keyboard.press("ArrowRight")
    assert await tab(page, "Mine").get_attribute("aria-pressed") == "true"


async def test_search_and_filters_narrow_the_list(sit: "Sit", talk: "Open") -> None:
    pay = await talk("How can I pay with my zebra card?", reply=PAY)
    track = await talk("Where is my order 10234?", reply=TRACK)
    page = await sit()
    await tab(page, "Bot").click()
    await row(page, pay).wait_for()
    await page.get_by_label("Search conversations").fill("ZEBRA")
    await row(page, track).wait_for(state="detached")
    assert await row(page, pay).count() == 1
    await page.get_by_label("Search conversations").fill("")
    await row(page, track).wait_for()
    await page.get_by_label("Filter by sentiment").select_option("negative")
    await row(page, pay).wait_for(state="detached")
    await page.get_by_label("Filter by sentiment").select_option("")
    await page.get_by_label("Filter by demand").fill("how to pay")
    await row(page, track).wait_for(state="detached")
    await page.get_by_label("Filter by demand").fill("")
    await page.get_by_label("Filter by site").select_option("demo")
    await row(page, track).wait_for()
    await page.get_by_label("Search conversations").fill("nothing like this 100%_")
    await page.get_by_text("Nothing fits.").wait_for()


async def test_queue_works_without_a_mouse(sit: "Sit", talk: "Open") -> None:
    for _ in range(2):
        one = await talk("Where is my order 10234?", reply=TRACK)
        await one.asks_for_a_human()
    page = await sit()
    await page.locator(".row").nth(1).wait_for()
    await page.keyboard.press("j")
    await page.locator(".row[aria-current]").wait_for()
    first = await page.locator(".row[aria-current]").get_attribute("data-id")
    await page.keyboard.press("j")
    await page.wait_for_function(f"() => document.querySelector('.row[aria-current]').dataset.id !== '{first}'")
    await page.keyboard.press("k")
    await page.wait_for_function(f"() => document.querySelector('.row[aria-current]').dataset.id === '{first}'")
    await page.keyboard.press("/")
    assert await page.get_by_label("Search conversations").evaluate("node => node === document.activeElement")
    await page.keyboard.type("t?m")
    assert await page.get_by_label("Search conversations").input_value() == "t?m"
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    await dialog.get_by_text("Insert the first suggestion").wait_for()
    await dialog.get_by_label("Single keys act").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("]")
    assert await tab(page, "Waiting").get_attribute("aria-pressed") == "true"
    await page.keyboard.press("?")
    assert not await dialog.is_visible()


async def test_sound_can_be_turned_off_for_good(sit: "Sit") -> None:
    page = await sit()
    await page.get_by_role("button", name="Sound is on").click()
    await page.reload()
    assert await page.get_by_role("button", name="Sound is off").get_attribute("aria-pressed") == "false"


async def test_sound_rings_once_for_somebody_new(sit: "Sit", talk: "Open") -> None:
    page = await sit()
    await page.evaluate(COUNT_TONES)
    await page.locator(".note").get_by_text("Loading").wait_for(state="hidden")
    one = await talk("Where is my order 10234?", reply=TRACK)
    await one.asks_for_a_human()
    await row(page, one).wait_for()
    await page.wait_for_function("() => window.tones === 2")
    await one.asks_for_a_human()
    assert await page.evaluate("window.tones") == 2


async def test_lost_connection_is_said_and_made_up_for(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page = await sit()
    await page.context.set_offline(True)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    one = await talk("Where is my order 10234?", reply=TRACK)
    await one.asks_for_a_human()
    await page.context.set_offline(False)
    await row(page, one).wait_for(timeout=30_000)
