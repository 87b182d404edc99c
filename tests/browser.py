"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

from tests.parts import chromium_path

if TYPE_CHECKING:
    from playwright.async_api import Browser

# Quiet and self-contained: no first-run pages, no background traffic; root's Chromium runs only without its sandbox.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser for one test; open contexts with `await chromium.new_context(...)`."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=_FLAGS)
        yield browser
        await browser.close()
