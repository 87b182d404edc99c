"""The open conversation: what replies are made of, the trace, taking over, suggestions, handing back, two agents."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from sessions import Suggestion
from tests.chat.browser.shop import Shop, written
from tests.chat.panel.conftest import Talk
from tests.chat.panel.shop_talk import LATE, PAY, TRACK, suggested, summed
from tests.chat.panel.test_queue import row, tab

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Route

    Sit = Callable[..., Awaitable[Page]]
    Open = Callable[..., Awaitable[Talk]]

pytestmark = pytest.mark.browser


async def waiting(talk: "Open") -> Talk:
    one = await talk("Where is my order 10234?", reply=TRACK)
    await one.asks_for_a_human()
    return one


async def opened(page: "Page", one: Talk) -> None:
    await row(page, one).click()
    await page.locator(".line.customer").first.wait_for()


async def taken(page: "Page", one: Talk, desk: Shop) -> None:
    """The agent has taken over and was offered three replies."""
    desk.engine.enqueue(*suggested())
    await opened(page, one)
    await page.keyboard.press("t")
    await page.locator(".suggestion").nth(2).wait_for()


def field(page: "Page") -> "Locator":
    return page.get_by_label("Your reply")


async def test_reply_shows_its_template_and_where_its_values_come_from(sit: "Sit", talk: "Open") -> None:
    page, one = await sit(), await waiting(talk)
    await opened(page, one)
    bubble = page.locator(".line.assistant .bubble")
    assert await bubble.locator("mark.copied").all_text_contents() == ["10234"]
    assert "Linen table lamp" in await bubble.locator("mark.fact").all_text_contents()
    await page.locator(".makings summary").click()
    made = page.locator(".makings")
    for words in ("track_order", "copied", "looked up", "order_status, found", "first text"):
        await made.get_by_text(words, exact=False).first.wait_for()
    heading = page.locator(".demand")
    assert await heading.text_content() == "Wants to know where order 10234 is"
    beside = page.get_by_role("complementary")
    await beside.get_by_text("It should reach you by").wait_for()
    assert await beside.locator(".curve").get_attribute("aria-label") == "Mood over time: negative"


async def test_whoever_takes_over_before_the_transcript_is_there_is_heard(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page, one = await sit(), await waiting(talk)
    desk.engine.enqueue(*suggested())

    async def late(route: "Route") -> None:
        await asyncio.sleep(1)
        await route.continue_()

    await page.route(f"**/agent/conversations/{one.id}", late)
    await row(page, one).click()
    await page.get_by_role("button", name="Take over").click()
    assert await page.locator(".line.customer").count() == 0
    await page.get_by_text("You answer").wait_for()


async def test_trace_is_a_waterfall_with_the_cached_tokens(sit: "Sit", talk: "Open") -> None:
    page, one = await sit(), await waiting(talk)
    await opened(page, one)
    await page.keyboard.press("w")
    dialog = page.get_by_role("dialog", name="Trace track_order")
    await dialog.get_by_text("choose a replica").wait_for()
    names = await dialog.locator(".span-name > :first-child").all_text_contents()
    assert names[0] == "turn" and {"store", "assemble", "route", "commit"} <= set(names)
    assert await dialog.locator(".tokens").get_attribute("aria-label") == "0 % of the prompt was cached"
    ticks = [
        await tick.get_attribute("title")
        for tick in await dialog.locator("li", has_text="one attempt").locator(".moment").all()
    ]
    assert [tick.partition(" after ")[0] for tick in ticks][:3] == ["request", "first token", "template known"]
    boxes = [await bar.bounding_box() for bar in await dialog.locator(".bar").all()]
    turn, *parts = boxes
    assert all(
        turn["x"] - 1 <= part["x"] and part["x"] + part["width"] <= turn["x"] + turn["width"] + 4 for part in parts
    )
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")


async def test_suggestion_is_inserted_by_one_key_and_sent_by_the_agent_only(
    sit: "Sit", talk: "Open", desk: Shop
) -> None:
    page, one = await sit(), await waiting(talk)
    await taken(page, one, desk)
    assert len({await each.text_content() for each in await page.locator(".suggestion code").all()}) == 3
    before = await one.texts()
    await page.locator(".demand").focus()
    await page.keyboard.press("2")
    text = await field(page).input_value()
    assert "cancel order 10234" in text
    await page.get_by_text("Inserted from cancel_order. Nothing is sent").wait_for()
    assert await one.texts() == before
    await page.keyboard.press("Control+Enter")
    await page.locator(".line.agent").wait_for()
    assert (await one.texts())[-1] == ("agent", text)
    assert await field(page).input_value() == ""
    assert await page.locator(".suggestion").count() == 0


async def test_suggestion_can_be_edited_and_another_rejected(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page, one = await sit(), await waiting(talk)
    await taken(page, one, desk)
    await page.get_by_role("button", name="Reject suggestion 2").click()
    assert await page.locator(".suggestion").count() == 2
    await field(page).focus()
    await page.keyboard.press("Alt+1")
    await field(page).press("End")
    await page.keyboard.type(" Best, Kim")
    await page.get_by_text("Edited from order_late").wait_for()
    await page.get_by_role("button", name="Send").click()
    await page.locator(".line.agent").get_by_text("Best, Kim").wait_for()

    async def outcomes(repo: Any) -> dict[str, str | None]:
        rows = await repo.tx.session.scalars(select(Suggestion).where(Suggestion.conversation_id == one.id))
        return {each.template: each.outcome for each in rows}

    assert await desk.write(outcomes) == {
        "order_late": "edited",
        "cancel_order": "rejected",
        "delivery_period": "rejected",
    }


async def test_draft_is_withdrawn_when_the_customer_goes_on(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page, one = await sit(), await waiting(talk)
    await taken(page, one, desk)
    await page.keyboard.press("Alt+1")
    assert await field(page).input_value() != ""
    desk.engine.enqueue(*suggested(PAY))
    await one.says("Never mind. How can I pay?")
    await page.get_by_text("The draft was withdrawn").wait_for()
    assert await field(page).input_value() == ""
    await page.locator(".suggestion").get_by_text("check_payment_methods").wait_for()
    await field(page).fill("My own words")
    await one.says("Hello?")
    await page.wait_for_timeout(300)
    assert await field(page).input_value() == "My own words"


async def test_summary_is_shown_on_demand(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page, one = await sit(), await waiting(talk)
    await opened(page, one)
    desk.engine.enqueue(summed(["order 10234"], ["where the order is"], []))
    await page.keyboard.press("u")
    summary = page.locator(".summary")
    await summary.get_by_text("where the order is").wait_for()
    assert await summary.locator("h4").all_text_contents() == ["Wants", "Facts", "Promised", "Still open"]


async def test_of_two_agents_one_wins_and_the_other_sees_it(sit: "Sit", talk: "Open", desk: Shop) -> None:
    one = await waiting(talk)
    kim, lee = await sit("kim@example.com"), await sit("lee@example.com")
    await opened(kim, one)
    await opened(lee, one)
    desk.engine.enqueue(*suggested())
    await asyncio.gather(kim.keyboard.press("t"), lee.keyboard.press("t"))
    for page in (kim, lee):
        await page.locator(".presence").get_by_text("answer").wait_for()
        await page.wait_for_function("() => !/bot|Waits/.test(document.querySelector('.presence').textContent)")
    said = sorted([(await page.locator(".presence").text_content()).split(" ·")[0] for page in (kim, lee)])
    assert said in (["Kim answers", "You answer"], ["Lee answers", "You answer"])
    assert sorted([await field(page).is_visible() for page in (kim, lee)]) == [False, True]
    loser = kim if await field(lee).is_visible() else lee
    await loser.locator(".silent").get_by_text("has this conversation").wait_for()
    assert not await loser.get_by_role("button", name="Take over").is_visible()
    await tab(loser, "Others").click()
    await row(loser, one).wait_for()
    assert [text for role, text in await one.texts() if role == "system"][
        -1
    ] == "A colleague has joined the conversation."


async def test_handing_back_gives_the_bot_a_note_that_the_customer_does_not_see(
    sit: "Sit", talk: "Open", desk: Shop
) -> None:
    page, one = await sit(), await waiting(talk)
    await taken(page, one, desk)
    await page.locator(".demand").focus()
    await page.keyboard.press("h")
    dialog = page.get_by_role("dialog", name="Hand back to the bot")
    await dialog.get_by_label("Note for the bot").fill("Promised a voucher.")
    await page.keyboard.press("Control+Enter")
    await page.locator(".line.note").get_by_text("Promised a voucher.").wait_for()
    await page.locator(".presence").get_by_text("The bot answers").wait_for()
    assert "voucher" not in str(await one.texts())
    desk.engine.enqueue(written(PAY))
    await one.says("And how can I pay?")
    assert "[note] Promised a voucher." in desk.engine.calls[-1].body["messages"][-1]["content"]
    await page.locator(".line.assistant").nth(1).wait_for()


async def test_agent_sees_the_customer_and_the_bot_write(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page, one = await sit(), await talk("How can I pay?", reply=PAY)
    await tab(page, "Bot").click()
    await opened(page, one)
    desk.engine.enqueue(written(LATE, delay_s=0.05))
    await one.says("My order 10234 is late")
    await page.locator(".line.assistant:not(.live)").nth(1).get_by_text("10234").first.wait_for()
    assert await page.locator(".line.live").count() == 0


async def test_a_long_piece_is_followed_by_who_reads_the_end_and_by_nobody_else(sit: "Sit", talk: "Open") -> None:
    page, one = await sit(), await waiting(talk)
    await opened(page, one)
    ends = await page.evaluate(
        """async () => {
          const page = document.querySelector("script[type=module]").src;
          const { Transcript } = await import(new URL("transcript.js", page));
          const shown = new Transcript(() => {}), { element } = shown;
          document.querySelector(".transcript").replaceWith(element);
          shown.grow("a turn", "word ".repeat(2000));
          const followed = element.scrollHeight - element.scrollTop - element.clientHeight;
          element.scrollTop = 0;
          shown.grow("a turn", "word ".repeat(2000));
          return [element.scrollHeight > 2 * element.clientHeight, followed < 2, element.scrollTop];
        }"""
    )
    assert ends == [True, True, 0]


async def test_deleted_conversation_is_said_to_be_gone(sit: "Sit", talk: "Open") -> None:
    page, one = await sit(), await waiting(talk)
    await opened(page, one)
    await one.client.delete(f"api/v1/conversations/{one.id}", headers={"Authorization": f"Bearer {one.token}"})
    await row(page, one).wait_for(state="detached")


async def test_left_message_shows_how_to_reach_the_customer(sit: "Sit", talk: "Open") -> None:
    page, one = await sit(), await waiting(talk)
    await one.leaves("Please call me.", "+44 20 7946 0000")
    await row(page, one).get_by_text("left a message").wait_for()
    await opened(page, one)
    await page.get_by_role("complementary").get_by_text("+44 20 7946 0000").wait_for()


async def test_address_opens_a_conversation_and_back_closes_it(sit: "Sit", talk: "Open", desk: Shop) -> None:
    page, one = await sit(), await waiting(talk)
    await page.goto(f"{desk.url}agent?conversation={one.id}")
    await page.locator(".line.customer").first.wait_for()
    assert await row(page, one).get_attribute("aria-current") == "true"
    await page.locator(".demand").focus()
    await page.keyboard.press("Escape")
    await page.get_by_text("Choose a conversation.").wait_for()
    await page.go_back()
    await page.locator(".line.customer").first.wait_for()
