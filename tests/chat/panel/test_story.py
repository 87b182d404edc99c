"""The whole story: a customer on the demo shop, the bot, a reload in its middle, an agent, the bot again, a verdict."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from sessions import Repository, Suggestion
from tests.chat.browser.shop import Shop, slowly_written, written
from tests.chat.panel.shop_talk import LATE, PAY, reply, suggested
from tests.chat.panel.test_queue import tab
from tests.chat.widget.conftest import frame_of, opened, say

if TYPE_CHECKING:
    from playwright.async_api import Browser, Frame, Page

    Sit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

DEMAND = "Wants to know why order 10234 is late"  # no other test's: the queue is shared
ASKED = reply("order_late", order_id="10234", date=None, demand=DEMAND, sentiment="negative")


async def lines(where: "Page | Frame") -> list[str]:
    """What was said, in order, as it stands there."""
    return [text.strip() for text in await where.locator(".line:not(.note, .day) .bubble").all_text_contents()]


async def test_from_the_first_question_to_the_verdict(chromium: "Browser", desk: Shop, sit: "Sit") -> None:
    kim = await sit()
    context = await chromium.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(20_000)
    shop = await context.new_page()
    await shop.goto(desk.url + "demo-shop")
    await shop.wait_for_function("window.Pindesk && !Array.isArray(Pindesk)")
    widget = await opened(shop)

    # The customer asks, reloads in mid-reply, and reads the reply to its end.
    desk.engine.enqueue(slowly_written(ASKED, pause_s=3))
    await say(widget, "Where is my order 10234? It is late.")
    await widget.locator(".line.assistant .bubble").get_by_text("Let me check").wait_for()
    await shop.reload()
    widget = await frame_of(shop)
    await widget.locator(".line.assistant:not(.live)").get_by_text("10234").wait_for()

    # The customer asks for a human; the agent sees what is wanted and takes over.
    await widget.get_by_role("button", name="Talk to a person").first.click()
    row = kim.locator(".row").filter(has_text=DEMAND)
    await row.first.wait_for()
    await row.first.click()
    desk.engine.enqueue(*suggested())
    await kim.locator(".line.assistant").wait_for()
    await kim.keyboard.press("t")
    await widget.get_by_text("Kim is here").wait_for()

    # One suggestion is accepted as it is, the next one edited.
    await kim.locator(".suggestion").nth(2).wait_for()
    await kim.keyboard.press("Alt+2")
    await kim.keyboard.press("Control+Enter")
    await widget.locator(".line.agent").get_by_text("cancel order 10234").wait_for()
    desk.engine.enqueue(*suggested(LATE, PAY))
    await say(widget, "I'd rather wait. How long?")
    await kim.locator(".suggestion").nth(1).wait_for()
    await kim.keyboard.press("Alt+1")
    await kim.get_by_label("Your reply").press("End")
    await kim.keyboard.type(" I'm sorry!")
    await kim.get_by_role("button", name="Send").click()
    await widget.locator(".line.agent").get_by_text("I'm sorry!").wait_for()

    # Back to the bot, which reads the note that the customer does not.
    await kim.get_by_role("button", name="Hand back").click()
    await kim.get_by_label("Note for the bot").fill("Was told about the delay.")
    await kim.keyboard.press("Control+Enter")
    await widget.get_by_text("Replies right away").wait_for()
    desk.engine.enqueue(written(PAY))
    await say(widget, "Thanks. How can I pay next time?")
    await kim.locator(".line.assistant").nth(1).wait_for()
    assert "[note] Was told about the delay." in desk.engine.calls[-1].body["messages"][-1]["content"]

    # The customer ends it and says what it was worth.
    await widget.locator("[data-part=menu-button]").click()
    await widget.locator("[data-act=end]").click()
    await widget.get_by_role("radio", name="5 of 5").check(force=True)
    await widget.get_by_role("button", name="Send").last.click()
    await widget.get_by_text("Thank you for telling us.").wait_for()
    await tab(kim, "Closed").click()
    await kim.get_by_role("complementary").get_by_text("5 of 5").wait_for()

    # Customer and agent have read the same words, and what became of the suggestions is known.
    assert await lines(kim) == await lines(widget)
    assert "delay" not in str(await lines(widget))
    assert await outcomes(desk) == {
        "order_late": {"rejected", "edited"},
        "cancel_order": {"accepted"},
        "delivery_period": {"rejected"},
        "check_payment_methods": {"rejected"},
    }
    await context.close()


async def outcomes(desk: Shop) -> dict[str, set[str]]:
    """By template, what became of the newest conversation's suggestions."""

    async def ask(repo: Repository) -> dict[str, set[str]]:
        newest = select(Suggestion.conversation_id).order_by(Suggestion.created_at.desc()).limit(1).scalar_subquery()
        found: dict[str, set[str]] = {}
        for each in await repo.tx.session.scalars(select(Suggestion).where(Suggestion.conversation_id == newest)):
            found.setdefault(each.template, set()).add(each.outcome)
        return found

    return await desk.write(ask)
