"""A public list of naughty strings through every field of the agent panel: nothing runs, nothing is loaded."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from sessions import Repository, Server
from telemetry.masking import AGENT_KINDS, mask_values
from tests.chat.browser.shop import Shop
from tests.chat.naughty import NAUGHTY, PARTS, WORDS, bundles, speak, speak_all, stored
from tests.chat.panel.conftest import Talk
from tests.chat.panel.shop_talk import PAY, reply, suggested, summed
from tests.chat.panel.test_queue import row, tab

if TYPE_CHECKING:
    from playwright.async_api import Page

    Sit = Callable[..., Awaitable[Page]]
    Open = Callable[..., Awaitable[Talk]]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOWN = """(kind) => [...document.querySelectorAll(`.line.${kind} .bubble`)].map((node) =>
  [node.textContent, node.querySelectorAll('*:not(mark)').length])"""
MAKINGS = """() => [...document.querySelectorAll('.line.assistant .makings')].map((node) =>
  [node.querySelector('code').textContent, node.querySelector('dt').textContent,
   node.querySelector('dd span').textContent])"""


def seen(word: str) -> str:
    """As the staff may see it: a number that pays is masked."""
    return mask_values({"text": stored(word)}, AGENT_KINDS)["text"]


async def test_everything_that_is_said_is_text(sit: "Sit", talk: "Open", desk: Shop) -> None:
    """Customers', agents' and the bot's lines, notes, templates, slots, demands; as they come and after a reload."""
    one = await talk("How can I pay?", reply=PAY)
    page = await sit(path=f"agent?conversation={one.id}")
    await page.goto(f"{desk.url}agent?conversation={one.id}")
    await page.locator(".line.assistant").wait_for()
    before = await page.evaluate(PARTS)
    await speak_all(desk, one.id)
    words = [seen(word) for word in WORDS]
    for again in (False, True):
        if again:
            await page.reload()
        await page.locator(".line.assistant").nth(len(WORDS)).wait_for(timeout=60_000)
        for kind, skipped in (("customer", 1), ("assistant", 1), ("agent", 0), ("note", 0)):
            lines = (await page.evaluate(SHOWN, kind))[skipped:]
            assert [text for text, _ in lines] == words
            assert {count for _, count in lines} == {0}
        assert (await page.evaluate(MAKINGS))[1:] == [[word, word, word] for word in words]
        assert await page.locator(".demand").evaluate("node => node.textContent") == words[-1]
        assert await page.evaluate(PARTS) == before
        assert await page.evaluate("[...document.querySelectorAll('a')].every((a) => a.protocol.startsWith('http'))")


async def test_what_a_conversation_has_one_of_is_text(sit: "Sit", talk: "Open", desk: Shop) -> None:
    """Demand, last words, contact, who has it, who the customer is, the comment of a rating, suggestions, a summary."""
    page = await sit()
    before = await page.evaluate(PARTS)
    for words in bundles():
        one = await talk("How can I pay?", reply=PAY)

        async def fill(repo: Repository, conversation_id: str = one.id, words: str = words) -> None:
            await speak(repo, conversation_id, [words])
            (await repo.conversations.get(Server(), conversation_id)).subject = stored(words)

        async def demand(repo: Repository, conversation_id: str = one.id) -> str | None:
            return (await repo.conversations.get(Server(), conversation_id)).demand

        # The bot's own reply is annotated after its end, and would write over ours.
        while await desk.write(demand) is None:
            await asyncio.sleep(0.05)
        await desk.write(fill)
        await one.rates(1, stored(words)[:1000])
        await page.goto(f"{desk.url}agent?conversation={one.id}")
        await page.locator(".line.note").wait_for()
        desk.engine.enqueue(*suggested(reply("complaint")))
        await page.keyboard.press("t")
        await page.locator(".suggestion").first.wait_for()
        desk.engine.enqueue(summed([words], [words], [words]))
        await page.get_by_role("button", name="Sum up").click()
        await page.locator(".summary h4").first.wait_for()
        await tab(page, "Mine").click()
        text = await row(page, one).evaluate("node => node.textContent")
        assert seen(words) in text
        details = await page.locator(".details").evaluate("node => node.textContent")
        assert details.count(seen(words)) >= 2
        assert await page.evaluate(PARTS) == before


async def test_what_is_looked_for_is_text(sit: "Sit") -> None:
    page = await sit()
    before = await page.evaluate(PARTS)
    for word in NAUGHTY:
        await page.get_by_label("Search conversations").fill(word[:200])
        await page.get_by_label("Filter by demand").fill(word[:200])
    await page.locator(".note").wait_for()
    assert await page.evaluate(PARTS) == before


async def test_what_another_help_desk_hands_in_is_text(sit: "Sit", desk: Shop) -> None:
    """By the address: the conversation that is open, and the site of a side panel."""
    page = await sit()
    before = await page.evaluate(PARTS)
    for words in bundles():
        await page.goto(f"{desk.url}agent?conversation={json.dumps(words)[:500]}")
        await page.locator(".panel").wait_for()
        assert await page.evaluate(PARTS) == before
