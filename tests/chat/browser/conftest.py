"""A visitor's browser in front of the whole system."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.chat.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

WIDE_LIMITS = dict.fromkeys(("address_limit", "site_limit", "open_limit"), "10000/minute")


@pytest.fixture(scope="session")
def session_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(stack, tmp_path_factory.mktemp("shop"), conversation_limit="8/hour", **WIDE_LIMITS)


@pytest.fixture
def shop(session_shop: Shop) -> Iterator[Shop]:
    """One system for all these tests; each visitor is a new one, and scripts that a test leaves behind are gone."""
    yield session_shop
    session_shop.engine.clear()


@pytest_asyncio.fixture
async def visit(chromium: "Browser", shop: Shop) -> AsyncIterator[Callable[..., Awaitable["Page"]]]:
    """`visit()`: the chat in a new visitor's browser; keyword arguments are those of Playwright's context.

    The test fails if a page wanted anything from outside or threw an error.
    """
    wrong: list[str] = []

    async def open_page(**options: Any) -> "Page":
        context = await chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: _inside(request.url, shop.url) or wrong.append(request.url))
        await page.goto(shop.url)
        await page.locator(".desk.awake:not([data-state=loading])").wait_for()
        return page

    yield open_page
    assert wrong == []


def _inside(url: str, origin: str) -> bool:
    return url.startswith((origin, "data:", "blob:"))
