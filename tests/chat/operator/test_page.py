"""The operator page: who gets in, the figures that are stored, what is chosen, the keyboard, a lost connection."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sessions import FeedbackValue, Repository
from tests.chat.browser.shop import Shop
from tests.chat.operator.conftest import PASSWORD
from tests.chat.operator.past import Past, suggestion, write

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    Sit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

TWO = ("track_order", "cancel_order")


async def some_days(repo: Repository) -> None:
    """Four conversations now, of which one goes on, and two of three days ago, one of them at the bank."""
    now = datetime.now(UTC)
    then = now - timedelta(days=3)
    await write(
        repo,
        [
            Past(now, TWO, 250.0, 1000, 950, score=5, thumbs=FeedbackValue.UP),
            Past(now, ("track_order",), 310.0, 1000, 900, thumbs=FeedbackValue.DOWN),
            Past(now, ("handoff",), 400.0, 1000, 900, handed_off=True),
            Past(now, ("track_order",), 1500.0, 1000, 700, closed=False),
            Past(then, ("get_refund",), 900.0, 1000, 0),
            Past(then, ("show_balance",), 700.0, 1000, 500, handed_off=True, score=4, site="bank"),
        ],
        [suggestion("track_order", outcome, now) for outcome in ("accepted", "edited", "edited", "rejected", None)],
    )


async def tile(page: "Page", name: str) -> list[str]:
    """The value and the note under a tile's name."""
    one = page.locator(".tile", has=page.get_by_text(name, exact=True))
    return [re.sub("\u202f", " ", text.strip()) for text in await one.locator("dd").all_text_contents()]


async def rows(page: "Page") -> list[list[str]]:
    return [
        [re.sub(r"\s+", " ", text).strip() for text in await row.locator("th, td").all_text_contents()]
        for row in await page.locator(".templates tbody tr").all()
    ]


async def choose(page: "Page", period: str) -> None:
    await page.get_by_text(period, exact=True).click()
    await settled(page)


async def settled(page: "Page") -> None:
    await page.locator(".figures:not([aria-busy])").wait_for()


async def test_nobody_signed_in_gets_the_door_and_comes_back(chromium: "Browser", office: Shop) -> None:
    page = await (await chromium.new_context()).new_page()
    await page.goto(office.url + "operator")
    await page.get_by_label("Mail address").fill("oda@example.com")
    assert await page.get_by_role("heading", level=1).inner_text() == "Operator page"
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator(".figures").wait_for()
    assert page.url == office.url + "operator"
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Password").wait_for()
    await page.goto(office.url + "operator")
    await page.get_by_label("Password").wait_for()


async def test_agents_are_told_that_they_are_none(sit: "Sit") -> None:
    page = await sit("kim@example.com")
    assert "Kim is no operator" in await page.get_by_role("alert").inner_text()
    assert await page.locator(".tile, .replica, table").count() == 0
    await page.get_by_role("link", name="To the agent panel").click()
    await page.locator(".panel").wait_for()
    assert await page.get_by_role("link", name="Operator page").count() == 0


async def test_who_is_both_goes_from_one_to_the_other(sit: "Sit") -> None:
    page = await sit("bo@example.com")
    await page.get_by_role("link", name="Agent panel").click()
    await page.get_by_role("link", name="Operator page").click()
    await page.locator(".figures").wait_for()


async def test_figures_are_those_that_are_stored(sit: "Sit", office: Shop) -> None:
    await office.write(some_days)
    page = await sit()
    assert await tile(page, "Conversations") == ["4", "3 over"]
    assert await tile(page, "Resolved") == ["67 %", "2 of 3 over"]
    assert await tile(page, "Handed off") == ["25 %", "1 of 4"]
    assert await tile(page, "First text") == ["310 ms", "median; p95 1.50 s"]
    assert await tile(page, "From cache") == ["88 %", "4.4K of 5K tokens"]
    assert await tile(page, "Replies") == ["5", "no turn failed"]
    assert await rows(page) == [
        ["track_order", "3", "▲ 0 up ▼ 1 down", "1 accepted, 2 edited, 1 rejected, 1 not used"],
        ["cancel_order", "1", "▲ 1 up ▼ 0 down", "– none"],
        ["handoff", "1", "– none", "– none"],
    ]
    assert await page.locator(".chart .bot, .chart .human").count() == 2
    await page.get_by_text("As a table").first.click()
    last = page.locator(".plot").first.locator("tbody tr").last
    assert await last.locator("td").all_text_contents() == ["4", "1"]


async def test_days_and_site_are_chosen_and_stay_over_a_reload(sit: "Sit", office: Shop) -> None:
    await office.write(some_days)
    page = await sit()
    await choose(page, "7 days")
    assert await tile(page, "Conversations") == ["6", "5 over"]
    assert await tile(page, "Resolved") == ["80 %", "4 of 5 over"]
    assert await page.locator(".plot").first.locator("tbody tr").count() == 7
    await page.get_by_label("Site").select_option("bank")
    await settled(page)
    assert [row[0] for row in await rows(page)] == ["show_balance"]
    assert await tile(page, "Conversations") == ["1", "1 over"]
    await page.reload()
    await settled(page)
    assert await page.get_by_label("Site").input_value() == "bank"
    assert await page.get_by_label("7 days").is_checked()
    assert await tile(page, "Conversations") == ["1", "1 over"]
    await choose(page, "Today")
    assert await tile(page, "Conversations") == ["0", "0 over"]


async def test_operator_of_a_site_sees_that_one_only(sit: "Sit", office: Shop) -> None:
    await office.write(some_days)
    page = await sit("bea@example.com", "operator?period=30d&site=demo")
    await page.goto(office.url + "operator?period=30d&site=demo")
    await settled(page)
    assert await tile(page, "Conversations") == ["1", "1 over"]
    options = await page.get_by_label("Site").locator("option").all_text_contents()
    assert len(options) == 2 and options[0] == "All sites"


async def test_days_are_the_operators_own(sit: "Sit", office: Shop) -> None:
    """The clocks of these two zones are an hour apart, at any time."""
    first_hours = set()
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        page = await sit(timezone_id=zone)
        day = page.locator(".plot").first.locator("tbody th")
        assert (await day.first.text_content()).replace("\u202f", " ") == "12:00 AM"
        first_hours.add(await day.count())
    assert len(first_hours) == 2


async def test_page_works_without_a_mouse(sit: "Sit", office: Shop) -> None:
    await office.write(some_days)
    page = await sit()
    await page.locator(".replica").wait_for()
    stops, seen = ["Sign out", "", "Site", "As a table", "As a table", "Drain r0", "What counts as what"], []
    for _ in stops:
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText"))
        if seen[-1] == "":  # the radio buttons: one stop, arrows choose
            await page.keyboard.press("ArrowRight")
            await settled(page)
    assert await page.get_by_label("7 days").is_checked()
    assert seen == stops
    await page.get_by_role("button", name="Drain r0").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("dialog", name="Drain r0?").wait_for()
    await page.keyboard.press("Escape")
    assert await page.get_by_role("button", name="Drain r0").evaluate("node => node === document.activeElement")


async def test_plots_are_told_and_read_under_the_pointer(sit: "Sit", office: Shop) -> None:
    await office.write(some_days)
    page = await sit()
    label = await page.locator(".chart").first.get_attribute("aria-label")
    assert label.startswith("Conversations by hour.") and label.endswith("4 conversations, 1 handed off")
    reading = page.locator(".reading").first
    before = await reading.inner_text()
    await page.locator(".chart").first.hover(position={"x": 52, "y": 100})
    assert (await reading.inner_text()).startswith("12:00")
    await page.mouse.move(5, 5)
    assert await reading.inner_text() == before


async def test_lost_connection_is_said_and_made_up_for(sit: "Sit", office: Shop) -> None:
    page = await sit()
    await page.context.set_offline(True)
    await page.get_by_text("30 days").click()
    await page.get_by_role("status").get_by_text("The server does not answer.").wait_for()
    await page.context.set_offline(False)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.get_by_role("status").get_by_text("As of").wait_for()
