"""A visitor's browser on a website that has the widget, in front of the whole system."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from sessions import Site
from tests.chat.browser.conftest import WIDE_LIMITS
from tests.chat.browser.shop import Shop
from tests.chat.widget.website import SITE, Website

if TYPE_CHECKING:
    from playwright.async_api import Browser, Frame, Page

SECRET = "the identity secret of the tests, long enough"
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="session")
def session_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(stack, tmp_path_factory.mktemp("widget"), conversation_limit="8/hour", **WIDE_LIMITS)


@pytest.fixture(scope="session")
def session_website(session_shop: Shop) -> Iterator[Website]:
    website = Website(session_shop.system.url)
    session_shop.on_loop(website.start())
    site = Site(key=SITE, name="Lamps", pack="demo-shop", allowed_origins=[website.url], secrets=[SECRET])
    strict = Site(
        key="strict",
        name="Strict",
        pack="demo-shop",
        allowed_origins=[website.url],
        secrets=[SECRET],
        identity_required=True,
    )

    async def add(repo: Any) -> None:
        await repo.sites.add(site)
        await repo.sites.add(strict)

    session_shop.on_loop(session_shop.write(add))
    yield website
    session_shop.on_loop(website.stop())


@pytest.fixture
def shop(session_shop: Shop, session_website: Website) -> Iterator[Shop]:
    """One system for all these tests; scripts that a test leaves behind are gone."""
    yield session_shop
    session_shop.engine.clear()


@pytest.fixture
def website(session_website: Website) -> Website:
    return session_website


@pytest_asyncio.fixture
async def visit(chromium: "Browser", shop: Shop) -> AsyncIterator[Callable[..., Awaitable["Page"]]]:
    """`visit(address)`: a page of a website in a new visitor's browser; options are those of Playwright's context.

    The test fails if something ran or was loaded that no page asked for.
    """
    wrong: list[str] = []

    async def open_page(address: str, **options: Any) -> "Page":
        context = await chromium.new_context(**DESKTOP | options)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: _expected(request.url) or wrong.append(request.url))
        await page.goto(address)
        await true_in(page, "window.Pindesk && !Array.isArray(Pindesk)")
        return page

    yield open_page
    assert wrong == []


def _expected(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "http://localhost:", "data:", "blob:"))


async def opened(page: "Page") -> "Frame":
    """Open the chat by its API; the frame once it can be used."""
    await page.evaluate("Pindesk.open()")
    return await frame_of(page)


async def frame_of(page: "Page") -> "Frame":
    async with asyncio.timeout(15):
        while not (frames := [frame for frame in page.frames if "/widget?" in frame.url]):
            await asyncio.sleep(0.02)
    await frames[0].locator("body:not([data-state=loading])").wait_for()
    return frames[0]


async def say(frame: "Frame", text: str) -> None:
    await frame.locator("#text").fill(text)
    await frame.locator("#text").press("Enter")


async def answered(frame: "Frame") -> str:
    """Wait for the end of the reply; its text."""
    await frame.locator(".line.assistant .choices").wait_for()
    return await frame.locator(".line.assistant .bubble").last.inner_text()


async def ask_for_a_person(frame: "Frame") -> None:
    await frame.get_by_role("button", name="Talk to a person").click()
    await frame.locator("body[data-state=waiting]").wait_for()


async def hand_in(page: "Page", words: Iterable[str]) -> None:
    """Each word, by the website's calls that take one."""
    for word in words:
        await page.evaluate(
            """(word) => {
              Pindesk.setTheme({accent: word, font: word, radius: word, scheme: word, [word]: word});
              Pindesk.setLocale(word);
              Pindesk.prefill(word);
            }""",
            word,
        )


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await true():
            await asyncio.sleep(0.05)


async def true_in(page: "Page", expression: str) -> None:
    """Wait for it, also where a website's policy forbids `eval`, by which `wait_for_function` asks the second time."""
    await until(lambda: page.evaluate(f"Boolean({expression})"))
