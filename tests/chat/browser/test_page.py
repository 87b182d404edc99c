"""The chat as its visitors use it: real Chromium, a real `web` process, a scripted engine."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sessions import Conversation, Repository, Role, Server
from tests.chat.browser.shop import Shop, slowly_written, written
from tests.scripted_engine import Fault, Script

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

LATE = {"action": "reply", "template": "order_late", "slots": {"order_id": "10234", "date": None}}
LATE |= {"demand": "Order 10234 is late", "sentiment": "neutral", "action_reason": "answered"}
LEAD = "Let me check that for you."


async def say(page: "Page", text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.locator("textarea").press("Enter")


def reply(page: "Page", number: int = 0) -> "Page":
    return page.locator(".line.assistant .bubble").nth(number)


async def answered(page: "Page") -> str:
    """Wait for the end of the reply; its text."""
    await page.locator(".line.assistant .choices").wait_for()
    return await page.locator(".line.assistant .bubble").last.inner_text()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.05)


async def kept_by(page: "Page") -> str:
    """Everything that this browser keeps for the site."""
    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    return await page.evaluate(stored)


async def test_an_empty_page_greets_and_suggests(visit: "Visit") -> None:
    page = await visit()
    assert await page.locator("h1").inner_text() == "Lumen & Loom"
    assert await page.title() == "Lumen & Loom"
    assert (await page.locator(".greeting").inner_text()).startswith("Welcome to Lumen & Loom!")
    assert await page.locator(".starters button").count() == 3
    assert await page.locator(".presence").inner_text() == "Replies right away"
    assert not await page.get_by_text("Gradio").count()
    assert await kept_by(page) == '[{},{},""]'


async def test_the_address_chooses_the_brand(visit: "Visit", shop: Shop) -> None:
    page = await visit()
    await page.goto(f"{shop.url}?site=bank")
    await page.locator(".starters button").first.wait_for()
    assert await page.locator("h1").inner_text() == "Tidewell Bank"
    assert (await page.locator(".greeting").inner_text()).startswith("Welcome to Tidewell Bank.")


async def test_a_suggestion_is_answered_with_quick_replies_and_thumbs(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit()
    await page.locator(".starters button").last.click()
    assert (await answered(page)).startswith("You can pay by Visa")
    assert await page.locator(".choices button").all_inner_texts() == [
        "My payment failed",
        "I'd like to order something",
    ]
    async with page.expect_response(lambda answer: '"vote"' in (answer.request.post_data or "")):
        await page.get_by_role("button", name="Not helpful").click()
    await page.reload()
    pressed = page.locator(".vote[aria-pressed=true]")
    assert await pressed.get_attribute("aria-label") == "Not helpful"
    assert await page.locator(".thread-title").inner_text() == "Which ways to pay are there?"


async def test_the_browser_keeps_tokens_and_no_text(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit()
    await say(page, "How can I pay for a violet lampshade?")
    await answered(page)
    kept = await kept_by(page)
    assert "violet" not in kept and "Visa" not in kept
    local, session, cookies = json.loads(kept)
    assert (list(local), session, cookies) == (["pindesk"], {}, "")
    [[held]] = json.loads(local["pindesk"])["sites"].values()
    assert sorted(held) == ["id", "token"]


async def test_a_reload_in_mid_reply_shows_the_same_text_and_goes_on(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE))
    page = await visit()
    await say(page, "Where is my order 10234? It is late.")
    await page.get_by_text(LEAD).wait_for()
    await page.reload()
    await page.get_by_text(LEAD).wait_for()
    assert await page.locator(".line.assistant.live").count() == 1
    text = await answered(page)
    assert text.startswith(LEAD) and "10234" in text
    assert await page.locator(".line.assistant").count() == 1


async def test_closing_the_tab_cancels_nothing(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE))
    page = await visit()
    await say(page, "Where is my order 10234? It is late.")
    await page.get_by_text(LEAD).wait_for()
    other = await page.context.new_page()
    await page.close()
    await other.goto(shop.url)
    assert "10234" in await answered(other)
    await until(lambda: shop.engine.calls[-1].finished)


async def test_a_second_tab_shows_the_same_by_itself(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written(), written(LATE, delay_s=0.02))
    page = await visit()
    await say(page, "How can I pay?")
    await answered(page)
    other = await page.context.new_page()
    await other.goto(shop.url)
    await answered(other)
    await say(page, "And where is my order 10234?")
    await other.get_by_text("And where is my order 10234?").wait_for()
    await other.locator(".line.assistant:not(.live)").nth(1).wait_for()
    assert await reply(other, 1).inner_text() == await reply(page, 1).inner_text()


async def test_a_stopped_reply_can_be_tried_again(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE), written())
    page = await visit()
    await say(page, "Where is my order 10234?")
    await page.get_by_text(LEAD).wait_for()
    await page.get_by_role("button", name="Stop the reply").click()
    await page.get_by_text("You stopped this reply.").wait_for()
    await page.get_by_role("button", name="Try again").click()
    assert (await answered(page)).startswith("You can pay by Visa")
    assert not await page.get_by_text("You stopped this reply.").count()
    assert await page.locator(".line.customer").count() == 1


async def test_without_an_engine_the_notice_offers_a_person(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(*[Script(fault=Fault.CRASHED)] * 5)
    page = await visit()
    await say(page, "Where is my order 10234?")
    await page.locator(".line.system").wait_for()
    assert await page.locator(".choices button").all_inner_texts() == ["Try again", "Talk to a person"]
    await page.locator(".choices").get_by_role("button", name="Talk to a person").click()
    await page.get_by_text("Waiting for a person").first.wait_for()
    await page.locator(".line").get_by_text("Nobody of the team is here right now.").wait_for()
    assert not await page.locator(".human").is_visible()


async def test_an_agent_is_seen_without_a_reload(visit: "Visit", shop: Shop) -> None:
    page = await visit()
    await page.locator(".human").click()
    await page.get_by_text("Waiting for a person").first.wait_for()
    conversation_id = (await page.evaluate("location.hash")).removeprefix("#")

    async def take_over(repo: Repository) -> Conversation:
        taken = await repo.conversations.takeover(Server(), conversation_id, "Anna")
        await repo.conversations.say(Server(), conversation_id, Role.AGENT, "Hello, Anna here.")
        return taken

    await shop.write(take_over)
    await page.locator(".line").get_by_text("Hello, Anna here.").wait_for()
    assert await page.locator(".presence").inner_text() == "Anna is here"
    await say(page, "Hello Anna")
    await page.get_by_text("Hello Anna").first.wait_for()
    assert not await page.locator(".stopped").count()
    await shop.write(lambda repo: repo.conversations.close(Server(), conversation_id))
    await page.get_by_text("This conversation is closed.").wait_for()
    assert not await page.locator("textarea").is_visible()


async def test_a_refused_message_stays_in_the_box(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(*[written()] * 8)
    page = await visit()
    for number in range(8):
        await say(page, f"Question {number}")
        await page.get_by_text(f"Question {number}", exact=True).last.wait_for()
    await say(page, "One too many")
    await page.get_by_text("That was a lot at once.").wait_for()
    assert await page.locator("textarea").input_value() == "One too many"
    assert await page.locator(".line.customer").count() == 8


async def test_offline_the_text_is_kept(visit: "Visit") -> None:
    page = await visit()
    await page.context.set_offline(True)
    await page.get_by_text("You are offline.").wait_for()
    await say(page, "Is anybody there?")
    await page.get_by_text("Your message was not sent.").wait_for()
    assert await page.locator("textarea").input_value() == "Is anybody there?"
    await page.context.set_offline(False)
    await page.locator(".banner").wait_for(state="hidden")


async def test_conversations_are_listed_and_can_be_switched(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await visit()
    await say(page, "How can I pay?")
    await answered(page)
    await page.locator(".fresh").click()
    await page.locator(".greeting").wait_for()
    await say(page, "Which cards do you take?")
    await answered(page)
    titles = ["Which cards do you take?", "How can I pay?"]
    await expect(page.locator(".thread-title")).to_have_text(titles, timeout=15_000)
    await page.locator(".thread-open").last.click()
    await page.locator(".line.customer").get_by_text("How can I pay?").wait_for()
    assert await page.locator(".line.customer").count() == 1
    await page.reload()
    await page.locator(".line.customer").get_by_text("How can I pay?").wait_for()


async def test_a_long_message_is_counted_and_not_cut(visit: "Visit") -> None:
    page = await visit()
    await page.locator("textarea").fill("x" * 2001)
    await page.get_by_text("2001 of 2000 characters. Please shorten your message.").wait_for()
    assert await page.locator(".send").is_disabled()
    assert len(await page.locator("textarea").input_value()) == 2001


async def test_a_hidden_tab_rests_and_catches_up(visit: "Visit", shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await visit()
    await say(page, "How can I pay?")
    await answered(page)
    await page.clock.install()
    await hide(page, True)
    async with page.expect_request("**/queue/join*") as left:
        await page.clock.run_for(31_000)
    assert "pdc_" not in (await left.value).post_data
    other = await page.context.new_page()
    await other.goto(shop.url)
    await answered(other)
    await say(other, "And by bank transfer?")
    await other.locator(".line.assistant:not(.live)").nth(1).wait_for()
    assert await page.locator(".line.assistant").count() == 1
    await hide(page, False)
    await page.locator(".line.assistant:not(.live)").nth(1).wait_for()


async def hide(page: "Page", hidden: bool) -> None:
    """As if the visitor had gone to another tab, or come back."""
    await page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
