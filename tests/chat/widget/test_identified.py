"""Customers whom the website knows: by a callback that signs, on several devices, on a site that takes nobody else."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from chat import identity
from sessions import Repository
from sessions.models import PersonSession
from tests.chat.browser.shop import Shop, written
from tests.chat.widget.conftest import SECRET, answered, frame_of, opened, say
from tests.chat.widget.test_page import held
from tests.chat.widget.website import SITE, Website

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

BY_CALLBACK = "Pindesk.identify(() => signed()); null"


async def known(visit: "Visit", address: str, subject: str, *, site: str = SITE) -> "Page":
    """A page of a website that knows its visitor and calls its server for a token when asked."""
    page = await visit(address)
    await page.evaluate("window.asked = 0")

    async def signed() -> str:
        await page.evaluate("asked += 1")
        return identity.sign(site, SECRET, subject)

    await page.expose_function("signed", signed)
    return page


async def test_history_follows_the_person_to_another_device(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    first = await known(visit, website.put(), "follows")
    await first.evaluate(BY_CALLBACK)
    frame = await opened(first)
    await say(frame, "How can I pay?")
    await answered(frame)
    assert await held(first) == [], "a person's token is kept by nobody"
    second = await known(visit, website.put(), "follows")
    await second.evaluate(BY_CALLBACK)
    frame = await opened(second)
    await frame.locator(".line.customer").get_by_text("How can I pay?").wait_for()
    stranger = await known(visit, website.put(), "somebody else")
    await stranger.evaluate(BY_CALLBACK)
    frame = await opened(stranger)
    await frame.get_by_role("heading", name="How can we help?").wait_for()


async def test_what_was_begun_anonymously_becomes_the_persons(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await known(visit, website.put(), "attaches")
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await answered(frame)
    assert len(await held(page)) == 1
    await page.evaluate(BY_CALLBACK)
    await page.wait_for_function(f"JSON.parse(localStorage['pindesk:{SITE}']).conversations.length === 0")
    await frame.locator(".line.customer").get_by_text("How can I pay?").wait_for()
    await say(frame, "And by card?")
    await frame.locator(".line.assistant:not(.live)").nth(1).wait_for()
    other = await known(visit, website.put(), "attaches")
    await other.evaluate(BY_CALLBACK)
    await (await opened(other)).locator(".line.customer").get_by_text("And by card?").wait_for()


async def test_a_proof_that_ran_out_is_renewed_by_the_callback(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await known(visit, website.put(), "renews")
    await page.evaluate(BY_CALLBACK)
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await answered(frame)
    assert await page.evaluate("asked") == 1

    async def run_out(repo: Repository) -> None:
        await repo.tx.session.execute(delete(PersonSession).where(PersonSession.subject == "renews"))

    await shop.write(run_out)
    await say(frame, "And by card?")
    await frame.locator(".line.assistant:not(.live)").nth(1).wait_for()
    assert await page.evaluate("asked") == 2
    assert await frame.locator(".line.customer").count() == 2


async def test_a_strict_site_asks_to_sign_in_first(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await known(visit, website.put(site="strict"), "strict", site="strict")
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await frame.get_by_text("Please sign in on this website to chat with us.").wait_for()
    assert await frame.locator("#text").input_value() == "How can I pay?"
    await page.evaluate(BY_CALLBACK)
    await page.wait_for_function("asked === 1")
    await frame.locator("#text").press("Enter")
    assert (await answered(frame)).startswith("You can pay by Visa")


async def test_a_callback_that_fails_is_told_and_the_chat_goes_on(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    await page.evaluate("Pindesk.on('error', ({code}) => (window.code = code)); null")
    await page.evaluate("Pindesk.identify(() => Promise.reject(new Error('logged out'))); null")
    frame = await opened(page)
    await page.wait_for_function("window.code === 'identity_callback'")
    await say(frame, "How can I pay?")
    await answered(frame)
    assert len(await held(page)) == 1


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda: identity.sign("another", SECRET, "ada"), "identity_wrong_site"),
        (lambda: identity.sign(SITE, "somebody else's secret", "ada"), "identity_invalid"),
    ],
)
async def test_a_bad_token_proves_nobody(visit: "Visit", website: Website, token: Callable[[], str], code: str) -> None:
    page = await visit(website.put())
    await page.evaluate("Pindesk.on('error', ({code}) => (window.code = code)); null")
    await page.evaluate("(token) => { Pindesk.identify(token); Pindesk.open(); }", token())
    await frame_of(page)
    await page.wait_for_function("(code) => window.code === code", arg=code)


async def test_who_logs_out_leaves_nothing_to_the_next(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await known(visit, website.put(), "leaves")
    await page.evaluate(BY_CALLBACK)
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await answered(frame)
    await page.evaluate("Pindesk.reset(); Pindesk.open()")
    await frame.get_by_role("heading", name="How can we help?").wait_for()
    await page.reload()
    frame = await frame_of(page)
    await frame.get_by_role("heading", name="How can we help?").wait_for()
    assert not await frame.locator(".line").count()
