"""An operator's browser in front of the whole system: a real `web` process over one scripted replica."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from sqlalchemy import delete

from chat.signin.passwords import hashed
from sessions import Conversation, Repository, Scope, Suggestion
from tests.chat.browser.conftest import WIDE_LIMITS
from tests.chat.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

PASSWORD = "a password of the tests"
PEOPLE = {
    "oda@example.com": ("Oda", [Scope.OPERATOR], None),
    "kim@example.com": ("Kim", [Scope.AGENT], None),
    "bo@example.com": ("Bo", [Scope.AGENT, Scope.OPERATOR], None),
    "bea@example.com": ("Bea", [Scope.OPERATOR], ["bank"]),
}


@pytest.fixture(scope="session")
def session_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(stack, tmp_path_factory.mktemp("office"), login_limit="1000/minute", **WIDE_LIMITS)


@pytest_asyncio.fixture
async def office(session_office: Shop) -> Shop:
    """One system for all these tests; each begins without a conversation and with these people."""

    async def begin(repo: Repository) -> None:
        await repo.tx.session.execute(delete(Suggestion))
        await repo.tx.session.execute(delete(Conversation))
        for login, (name, roles, sites) in PEOPLE.items():
            if await repo.people.by_login(login) is None:
                account = await repo.people.add(login, name, roles, sites)
                account.password_hash = hashed(PASSWORD)

    await session_office.write(begin)
    return session_office


@pytest_asyncio.fixture
async def sit(chromium: "Browser", office: Shop) -> AsyncIterator[Callable[..., Awaitable["Page"]]]:
    """`sit("oda@example.com")`: the operator page, reached by signing in.

    Keyword arguments are those of Playwright's context. The test fails if a page wanted anything from outside, or
    threw an error.
    """
    wrong: list[str] = []

    async def open_page(login: str = "oda@example.com", path: str = "operator", **options: Any) -> "Page":
        context = await chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: request.url.startswith((office.url, "data:")) or wrong.append(request.url))
        await page.goto(office.url + path)
        await page.get_by_label("Mail address").fill(login)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.locator("main:is(.figures:not([aria-busy]), .door:not(:has(form)), .panel)").wait_for()
        return page

    yield open_page
    assert wrong == []
