"""A public list of naughty strings through every field of the operator page: nothing runs, nothing is loaded."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete

from chat.signin.passwords import hashed
from sessions import Account, Conversation, Repository, Scope, Site, Suggestion
from tests.chat.browser.shop import Shop
from tests.chat.naughty import PARTS, WORDS, bundles, stored
from tests.chat.operator.conftest import PASSWORD
from tests.chat.operator.past import Past, suggestion, write

if TYPE_CHECKING:
    from playwright.async_api import Page

    Sit = Callable[..., Awaitable[Page]]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOWN = """() => [...document.querySelectorAll('.templates tbody th')].map((node) =>
  [...node.children].map((each) => [each.textContent, each.querySelectorAll('*:not(wbr)').length]))"""


async def test_what_sites_templates_and_people_are_called_is_text(sit: "Sit", office: Shop) -> None:
    words, names = [stored(word) for word in WORDS], [stored(each) for each in bundles()]

    async def fill(repo: Repository) -> None:
        now = datetime.now(UTC)
        for number, name in enumerate(names):
            await repo.sites.add(Site(key=f"naughty-{number}", name=name, pack="demo-shop"))
        account = await repo.people.add("naughty@example.com", names[0], [Scope.OPERATOR], None)
        account.password_hash = hashed(PASSWORD)
        pasts = [Past(now, (word,), site=f"naughty-{at % len(names)}") for at, word in enumerate(words)]
        await write(repo, pasts, [suggestion(word, "edited", now) for word in words])

    async def clear(repo: Repository) -> None:
        for row in (Suggestion, Conversation):
            await repo.tx.session.execute(delete(row))
        await repo.tx.session.execute(delete(Account).where(Account.login == "naughty@example.com"))
        await repo.tx.session.execute(delete(Site).where(Site.key.startswith("naughty-")))

    before = await (await sit()).evaluate(PARTS)
    await office.write(fill)
    page = await sit("naughty@example.com")
    await page.locator(".templates tbody tr").nth(2 * len(words) - 1).wait_for()
    rows = await page.evaluate(SHOWN)
    assert {count for row in rows for _, count in row} == {0}
    assert sorted({row[0][0] for row in rows}) == sorted(words)
    assert {row[1][0] for row in rows} == {*names, "Lumen & Loom"}
    options = await page.locator("select option").evaluate_all("nodes => nodes.map((node) => node.textContent)")
    assert {*options} >= {*names}
    assert await page.locator(".me").evaluate("node => node.textContent") == names[0]
    assert await page.evaluate(PARTS) == before
    await office.write(clear)


async def test_what_the_address_says_is_text(sit: "Sit", office: Shop) -> None:
    page = await sit()
    before = await page.evaluate(PARTS)
    for words in bundles():
        await page.goto(f"{office.url}operator?{urlencode({'site': words, 'period': words})}")
        await page.locator(".figures:not([aria-busy])").wait_for()
        assert await page.evaluate(PARTS) == before
