"""Widths, colours and assistive technology. With PINDESK_TEST_SCREENSHOTS=DIR every state is kept as a picture."""

import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe

from sessions import Repository
from tests.chat.browser.shop import Shop
from tests.chat.browser.test_page_looks import PHONE
from tests.chat.operator.past import busy_days, suggested, write

if TYPE_CHECKING:
    from playwright.async_api import Page

    Sit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1280, "height": 900}}


async def fine(page: "Page", name: str, *, whole: bool = False) -> None:
    """No violation, nothing wider than the window."""
    if folder := os.environ.get("PINDESK_TEST_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"operator-{name}.png", full_page=whole)
    found = await Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    told = [(each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found.response["violations"]]
    assert told == [], json.dumps(told, indent=1)
    width, window = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window


async def a_busy_month(repo: Repository) -> None:
    until = datetime.now(UTC)
    await write(repo, busy_days(until, 30), suggested(until))


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
async def test_every_state_is_readable_for_everybody(
    sit: "Sit", office: Shop, colours: str, size: dict[str, object]
) -> None:
    name = f"{'phone' if size is PHONE else 'wide'}-{colours}"
    page = await sit(color_scheme=colours, **size)
    await page.get_by_text("No reply and no suggestion yet.").wait_for()
    await fine(page, f"empty-{name}")
    await office.write(a_busy_month)
    await page.reload()
    await page.locator(".templates tbody tr").first.wait_for()
    await page.locator(".replica").first.wait_for()
    await fine(page, f"today-{name}", whole=True)
    await page.get_by_text("30 days").click()
    await page.locator(".figures:not([aria-busy])").wait_for()
    await page.get_by_text("As a table").first.click()
    await page.get_by_text("What counts as what").click()
    await fine(page, f"month-{name}", whole=True)
    await page.get_by_role("button", name="Drain r0").click()
    await fine(page, f"drain-{name}")
    await page.get_by_role("button", name="Cancel").click()


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_refusal_is_readable_for_everybody(sit: "Sit", colours: str) -> None:
    page = await sit("kim@example.com", color_scheme=colours)
    await page.get_by_role("alert").wait_for()
    await fine(page, f"refused-{colours}")
