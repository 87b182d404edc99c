"""Emptying a replica from the page: asked once more, done in the store, seen by everybody, taken back."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from sessions import Repository
from tests.chat.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

    Sit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser


async def drained(repo: Repository) -> list[str]:
    return list(await repo.drains.asked())


async def audited(repo: Repository) -> list[tuple[str, str, str | None]]:
    return [(each.actor, each.action, each.about) for each in await repo.audit.list(limit=2)]


async def test_drain_is_asked_for_done_and_taken_back(sit: "Sit", office: Shop) -> None:
    page = await sit()
    other = await sit("bo@example.com")
    card = page.locator(".replica")
    await card.get_by_text("ready").wait_for()
    await page.get_by_role("button", name="Drain r0").click()
    dialog = page.get_by_role("dialog", name="Drain r0?")
    assert "No other replica is ready" in await dialog.inner_text()
    await dialog.get_by_role("button", name="Cancel").click()
    assert await office.write(drained) == []
    await page.get_by_role("button", name="Drain r0").click()
    await dialog.get_by_role("button", name="Drain").click()
    await card.get_by_text("draining").wait_for()
    await card.get_by_text("Empty: its process may stop").wait_for()
    assert await page.get_by_role("status").inner_text() == "r0 is being emptied."
    assert await office.write(drained) == ["r0"]
    await other.locator(".replica").get_by_text("draining").wait_for()
    await other.get_by_role("button", name="Let r0 serve again").click()
    await other.get_by_role("dialog", name="Let r0 serve again?").get_by_role("button", name="Serve again").click()
    await other.locator(".replica").get_by_text("ready", exact=True).wait_for()
    await card.get_by_text("ready", exact=True).wait_for()
    assert await office.write(drained) == []
    assert await office.write(audited) == [("Bo", "replica.undrained", "r0"), ("Oda", "replica.drained", "r0")]


async def test_a_drain_that_is_refused_is_said(sit: "Sit") -> None:
    page = await sit()
    await page.route("**/replicas/r0/drain", lambda route: route.fulfill(status=404, json={"detail": "It is gone."}))
    await page.get_by_role("button", name="Drain r0").click()
    await page.get_by_role("dialog").get_by_role("button", name="Drain").click()
    await page.get_by_role("status").get_by_text("It is gone.").wait_for()
