"""The page in the frame: talking, coming back, giving thumbs, rating, leaving nothing behind."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from sessions import Conversation, Repository, Role, Server
from tests.chat.browser.shop import Shop, slowly_written, written
from tests.chat.browser.test_page import LATE, LEAD
from tests.chat.widget.conftest import answered, ask_for_a_person, frame_of, opened, say, until
from tests.chat.widget.website import SITE, Website

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser


async def held(page: "Page") -> list[dict]:
    """What the website's storage keeps of the visitor's conversations."""
    return await page.evaluate(f"JSON.parse(localStorage['pindesk:{SITE}'] ?? '{{}}').conversations ?? []")


def asked_for(shop: Shop, kept: dict, part: str) -> httpx.Response:
    """A part of the conversation, with the token that the website keeps."""
    headers = {"Authorization": f"Bearer {kept['token']}"}
    return httpx.get(f"{shop.system.url}/api/v1/conversations/{kept['id']}/{part}", headers=headers)


def metrics(shop: Shop) -> str:
    return httpx.get(f"{shop.system.url}/metrics").text


async def begun(page: "Page") -> "Frame":
    """A conversation with one answered question."""
    frame = await opened(page)
    await say(frame, "How can I pay?")
    await answered(frame)
    return frame


async def test_a_suggestion_is_answered_with_quick_replies(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await visit(website.put())
    frame = await opened(page)
    assert await frame.locator("h1").inner_text() == "Lumen & Loom"
    assert await frame.locator(".presence").inner_text() == "Replies right away"
    await frame.get_by_role("button", name="Which ways to pay are there?").click()
    assert (await answered(frame)).startswith("You can pay by Visa")
    await frame.locator(".choices button").first.click()
    await frame.locator(".line.customer").get_by_text("My payment failed").wait_for()
    await frame.locator(".line.assistant:not(.live)").nth(1).wait_for()


async def test_a_reload_in_mid_reply_resumes(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE))
    page = await visit(website.put())
    frame = await opened(page)
    await say(frame, "Where is my order 10234? It is late.")
    await frame.get_by_text(LEAD).wait_for()
    await page.reload()
    frame = await frame_of(page)
    await frame.get_by_text(LEAD).wait_for()
    assert await frame.locator(".line.assistant.live").count() == 1
    text = await answered(frame)
    assert text.startswith(LEAD) and "10234" in text
    assert await frame.locator(".line.assistant").count() == 1


async def test_a_connection_that_breaks_in_mid_reply_is_resumed(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE, 3.0))
    page = await visit(website.put())
    frame = await opened(page)
    asked: list[str] = []
    page.on("request", lambda request: "/events?" in request.url and asked.append(request.url.split("after=")[1]))
    await say(frame, "Where is my order 10234? It is late.")
    await frame.get_by_text(LEAD).wait_for()
    await page.context.set_offline(True)
    await frame.get_by_text("You are offline.").wait_for()
    # Playwright's switch leaves open connections alone; a network that is away does not.
    await frame.evaluate("dispatchEvent(new Event('offline'))")
    await page.context.set_offline(False)
    assert "10234" in await answered(frame)
    await frame.locator(".banner").wait_for(state="hidden")
    assert await frame.locator(".line.assistant").count() == 1


async def test_the_website_keeps_tokens_and_the_frame_nothing(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    frame = await begun(page)
    [kept] = await held(page)
    assert sorted(kept) == ["id", "seen", "token"]
    stored = "(() => { try { return localStorage.length + sessionStorage.length } catch { return 0 } })()"
    assert await frame.evaluate(f"{stored} + document.cookie.length") == 0
    assert kept["token"] not in frame.url
    assert await page.context.cookies() == []


async def test_thumbs_are_counted_by_template_and_come_back(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    frame = await begun(page)
    await frame.get_by_role("button", name="Not helpful").click()
    counted = f'pindesk_feedback_total{{site="{SITE}",template="check_payment_methods",value="down"}}'

    async def is_counted() -> bool:
        return counted in metrics(shop)

    await until(is_counted)
    await page.reload()
    frame = await frame_of(page)
    pressed = frame.locator(".vote[aria-pressed=true]")
    assert await pressed.get_attribute("aria-label") == "Not helpful"


async def test_an_agent_takes_over_and_hands_back(visit: "Visit", website: Website, shop: Shop) -> None:
    page = await visit(website.put())
    await page.evaluate("window.seen = []; Pindesk.on('handoff', ({state, agent}) => seen.push([state, agent])); null")
    frame = await opened(page)
    await ask_for_a_person(frame)
    [conversation_id] = [each["id"] for each in await held(page)]

    async def take_over(repo: Repository) -> Conversation:
        taken = await repo.conversations.takeover(Server(), conversation_id, "Anna")
        await repo.conversations.say(Server(), conversation_id, Role.AGENT, "Hello, Anna here.")
        return taken

    await shop.write(take_over)
    await frame.locator(".line.agent").get_by_text("Hello, Anna here.").wait_for()
    assert await frame.locator(".presence").inner_text() == "Anna is here"
    await say(frame, "Hello Anna")
    await frame.locator(".line.customer").get_by_text("Hello Anna").wait_for()
    assert not await frame.locator(".stopped").count()
    await shop.write(lambda repo: repo.conversations.handback(Server(), conversation_id))
    await frame.locator(".presence").get_by_text("Replies right away").wait_for()
    assert await page.evaluate("seen") == [["waiting", None], ["agent", "Anna"], ["bot", None]]


async def test_an_agent_who_writes_while_the_chat_is_closed_is_counted(
    visit: "Visit", website: Website, shop: Shop
) -> None:
    page = await visit(website.put())
    frame = await opened(page)
    await ask_for_a_person(frame)
    [conversation_id] = [each["id"] for each in await held(page)]
    await page.evaluate("Pindesk.close()")
    await page.goto(website.put())
    await page.evaluate("Pindesk.on('unread', ({count}) => (window.count = count)); null")

    async def write(repo: Repository) -> None:
        await repo.conversations.takeover(Server(), conversation_id, "Anna")
        await repo.conversations.say(Server(), conversation_id, Role.AGENT, "Are you still there?")

    await shop.write(write)
    await page.wait_for_function("window.count === 1")
    await page.evaluate("Pindesk.open()")
    await page.wait_for_function("window.count === 0")


async def test_where_nobody_is_there_a_message_can_be_left(visit: "Visit", website: Website, shop: Shop) -> None:
    page = await visit(website.put())
    frame = await opened(page)
    await ask_for_a_person(frame)
    await frame.locator(".presence").get_by_text("Our team will come back to you").wait_for()
    await frame.get_by_role("button", name="Not now").click()
    assert not await frame.locator("[data-part=leave]").is_visible()
    await page.reload()
    frame = await frame_of(page)
    await frame.get_by_label("Your message to our team").fill("Please call me about the oak lamp.")
    await frame.get_by_label("E-mail or phone").fill("ada@example.org")
    await frame.get_by_role("button", name="Leave message").click()
    await frame.locator(".line.customer").get_by_text("Please call me about the oak lamp.").wait_for()
    await frame.locator(".line.system").get_by_text("your message is with the team").wait_for()
    assert not await frame.locator("[data-part=leave]").is_visible()
    await page.reload()
    frame = await frame_of(page)
    await frame.locator(".line.system").get_by_text("your message is with the team").wait_for()
    assert not await frame.locator("[data-part=leave]").is_visible()
    assert shop.engine.calls == [] or "oak lamp" not in str(shop.engine.calls[-1].body)


async def test_a_closed_conversation_asks_for_a_rating(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    await page.evaluate("Pindesk.on('rating', ({score}) => (window.score = score)); null")
    frame = await begun(page)
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="End this conversation").click()
    await frame.get_by_role("group", name="How was this conversation?").wait_for()
    assert not await frame.locator("#text").is_visible()
    await frame.get_by_role("radio", name="1 of 5").focus()
    await page.keyboard.press("Space")
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await frame.locator(".card textarea").fill("Quick and clear")
    await frame.locator(".card").get_by_role("button", name="Send").click()
    await frame.get_by_text("Thank you for telling us.").wait_for()
    assert await page.evaluate("score") == 4
    [kept] = await held(page)
    given = asked_for(shop, kept, "feedback")
    assert given.json()["rating"] == {"score": 4, "comment": "Quick and clear"}
    await frame.get_by_role("button", name="New conversation").last.click()
    await frame.get_by_role("heading", name="How can we help?").wait_for()


async def test_the_transcript_can_be_taken_home(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    frame = await begun(page)
    await frame.get_by_role("button", name="More").click()
    async with page.expect_download() as download:
        await frame.get_by_role("button", name="Download as text").click()
    written_out = (await (await download.value).path()).read_text("utf-8")
    assert (await download.value).suggested_filename.endswith(".txt")
    lines = written_out.strip().splitlines()
    assert lines[0] == "Lumen & Loom"
    assert lines[2].endswith("You: How can I pay?")
    assert "Assistant: You can pay by Visa" in lines[3]


async def test_everything_can_be_erased(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await visit(website.put())
    frame = await begun(page)
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="New conversation").first.click()
    await say(frame, "How can I pay?")
    await answered(frame)
    kept = await held(page)
    assert len(kept) == 2
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="Delete my data").click()
    await frame.get_by_role("button", name="Cancel").click()
    assert len(await held(page)) == 2
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="Delete my data").click()
    await frame.get_by_role("button", name="Delete everything").click()
    await frame.get_by_role("heading", name="How can we help?").wait_for()
    assert await held(page) == []
    assert [asked_for(shop, each, "messages").status_code for each in kept] == [401, 401]


async def test_earlier_conversations_can_be_opened(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await visit(website.put())
    frame = await begun(page)
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="New conversation").first.click()
    await say(frame, "Which cards do you take?")
    await answered(frame)
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="Earlier conversations").click()
    await frame.locator("dialog li button").nth(1).click()
    await frame.locator(".line.customer").get_by_text("How can I pay?").wait_for()
    assert await frame.locator(".line.customer").count() == 1


async def test_offline_the_text_is_kept_and_sent_once(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    frame = await opened(page)
    await page.context.set_offline(True)
    await say(frame, "Is anybody there?")
    await frame.get_by_text("That was not sent.").wait_for()
    assert await frame.locator("#text").input_value() == "Is anybody there?"
    await page.context.set_offline(False)
    await frame.locator("#text").press("Enter")
    await answered(frame)
    assert await frame.locator(".line.customer").count() == 1


async def test_a_lost_answer_makes_no_second_message(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written(), written())
    page = await visit(website.put())
    frame = await begun(page)
    lost = []

    async def lose(route: "object") -> None:
        lost.append(await route.fetch())
        await route.abort()

    await page.context.route("**/turns", lose)
    await say(frame, "Did you get this?")
    await frame.get_by_text("That was not sent.").wait_for()
    await page.context.unroute("**/turns", lose)
    await frame.locator("#text").press("Enter")
    await frame.locator(".line.assistant:not(.live)").nth(1).wait_for()
    assert [answer.status for answer in lost] == [202]
    assert await frame.locator(".line.customer").count() == 2


async def test_limits_hold_and_the_text_stays(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(*[written()] * 8)
    page = await visit(website.put())
    frame = await opened(page)
    for number in range(8):
        await say(frame, f"Question {number}")
        await frame.locator(".line.customer").get_by_text(f"Question {number}", exact=True).wait_for()
    await say(frame, "One too many")
    await frame.get_by_text("That was a lot at once.").wait_for()
    assert await frame.locator("#text").input_value() == "One too many"
    assert await frame.locator(".line.customer").count() == 8


async def test_a_stopped_reply_can_be_tried_again(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(slowly_written(LATE), written())
    page = await visit(website.put())
    frame = await opened(page)
    await say(frame, "Where is my order 10234?")
    await frame.get_by_text(LEAD).wait_for()
    await frame.get_by_role("button", name="Stop the reply").click()
    await frame.get_by_text("You stopped this reply.").wait_for()
    await frame.get_by_role("button", name="Try again").click()
    assert (await answered(frame)).startswith("You can pay by Visa")
    assert await frame.locator(".line.customer").count() == 1


async def test_reset_leaves_nothing_of_the_visitor(visit: "Visit", website: Website, shop: Shop) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    frame = await begun(page)
    await frame.locator("#text").fill("A secret draft")
    await page.wait_for_function(f"sessionStorage['pindesk:{SITE}'].includes('A secret draft')")
    [token] = [each["token"] for each in await held(page)]
    await page.evaluate("Pindesk.reset()")
    await frame.locator(".lines").filter(has_text="How can I pay?").wait_for(state="detached")
    await page.wait_for_timeout(400)
    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert token not in stored and "A secret draft" not in stored
    await page.reload()
    frame = await opened(page)
    await frame.get_by_role("heading", name="How can we help?").wait_for()
