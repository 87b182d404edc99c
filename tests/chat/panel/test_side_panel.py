"""The side panel inside a foreign help desk: the sample page, Chatwoot's and Zendesk's words, and who is not heard."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from sessions import Suggestion
from tests.chat.browser.shop import Shop
from tests.chat.panel.conftest import HOST_PORT, PASSWORD
from tests.chat.panel.shop_talk import suggested, summed
from tests.parts import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Browser, FrameLocator, Page

pytestmark = pytest.mark.browser

HOST = f"http://localhost:{HOST_PORT}"
"""Another site than 127.0.0.1, so that no cookie of ours is sent into the frame."""

BARE = "<!doctype html><title>A help desk</title><iframe id=panel title=Pindesk width=360 height=700></iframe>"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The folder of the sample page, served at HOST, with a help desk in it that says nothing by itself."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "host.html").write_bytes((ROOT / "docs" / "side-panel" / "host.html").read_bytes())
    Path(folder / "bare.html").write_text(BARE)
    server = ThreadingHTTPServer(("127.0.0.1", HOST_PORT), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest_asyncio.fixture
async def page(chromium: "Browser", host: None) -> AsyncIterator["Page"]:
    context = await chromium.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(15_000)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []


def offers(desk: Shop) -> None:
    desk.engine.enqueue(*suggested(), summed(["order 10234"], ["where the order is"], []))


async def signed_in(page: "Page") -> "FrameLocator":
    """Sign in by the popup; the frame of the panel."""
    frame = page.frame_locator("#panel")
    async with page.expect_popup() as opened:
        await frame.get_by_role("button", name="Sign in").click()
    popup = await opened.value
    await popup.get_by_label("Mail address").fill("kim@example.com")
    await popup.get_by_label("Password").fill(PASSWORD)
    async with popup.expect_event("close"):
        await popup.get_by_role("button", name="Sign in").click()
    return frame


async def bare(page: "Page", desk: Shop) -> "FrameLocator":
    """The silent help desk with the panel in it, signed in. `tell` speaks to the panel."""
    await page.goto(f"{HOST}/bare.html")
    await page.evaluate(
        "(url) => { window.heard = []; addEventListener('message', ({data, origin}) => heard.push({data, origin}));"
        " panel.src = url; window.tell = (message) => panel.contentWindow.postMessage(message, new URL(url).origin); }",
        f"{desk.url}agent?embed=1&site=demo",
    )
    return await signed_in(page)


async def test_sample_help_desk_gets_suggestions_and_tells_what_it_sent(page: "Page", desk: Shop) -> None:
    await page.goto(f"{HOST}/host.html?panel={desk.url}")
    offers(desk)
    frame = await signed_in(page)
    await frame.locator(".suggestion").nth(2).wait_for()
    await frame.get_by_text("where the order is").wait_for()
    if folder := os.environ.get("PINDESK_TEST_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / "panel-embedded.png")
    await frame.locator(".insert").nth(1).click()
    await frame.get_by_text("Inserted. Nothing is sent until you send it.").wait_for()
    reply = page.get_by_label("Your reply")
    assert "cancel order 10234" in await reply.input_value()
    await reply.press("End")
    await page.keyboard.type(" Best, Kim")
    offers(desk)
    await page.get_by_role("button", name="Send").click()
    await frame.locator(".suggestion").nth(2).wait_for()
    async with asyncio.timeout(10):
        while await outcomes_of(desk, "cancel_order") != ["edited", None]:
            await asyncio.sleep(0.05)


async def outcomes_of(desk: Shop, template: str) -> list[str | None]:
    """What became of the foreign suggestions of a template, oldest first."""

    async def ask(repo: Any) -> list[str | None]:
        foreign = select(Suggestion).where(Suggestion.conversation_id.is_(None), Suggestion.template == template)
        return [each.outcome for each in await repo.tx.session.scalars(foreign.order_by(Suggestion.created_at))][-2:]

    return await desk.write(ask)


KEPT = "() => { try { return sessionStorage.getItem('pindesk.token'); } catch { return 'forbidden'; } }"


async def test_frame_gets_no_cookie_and_signs_in_again_by_one_click(page: "Page", desk: Shop) -> None:
    frame = await bare(page, desk)
    await frame.get_by_text("Waiting for the conversation").wait_for()
    inner = next(each for each in page.frames if "embed=1" in each.url)
    assert await inner.evaluate("() => fetch('/api/v1/session').then((answer) => answer.status)") == 401
    kept = await inner.evaluate(KEPT)
    assert kept == "forbidden" or kept.startswith("pds_")
    await page.evaluate("() => { panel.src = panel.src; }")
    if kept == "forbidden":
        async with page.expect_popup() as opened:
            await frame.get_by_role("button", name="Sign in").click()
        if not (popup := await opened.value).is_closed():
            await popup.wait_for_event("close")
    await frame.get_by_text("Waiting for the conversation").wait_for()


CHATWOOT = {
    "event": "appContext",
    "data": {
        "conversation": {
            "id": 17,
            "messages": [
                {
                    "content": "Where is order 10234?",
                    "message_type": 0,
                    "private": False,
                    "sender": {"type": "contact"},
                },
                {"content": "Kim joined", "message_type": 2, "private": False},
                {"content": "Ask the carrier", "message_type": 1, "private": True, "sender": {"type": "user"}},
                {"content": "One moment.", "message_type": 1, "private": False, "sender": {"type": "user"}},
                {"content": "It is late!", "message_type": 0, "private": False, "sender": {"type": "contact"}},
            ],
        },
        "contact": {"name": "Sam"},
    },
}
ZENDESK = {
    "ticket.id": 42,
    "ticket.conversation": [
        {
            "author": {"role": "end-user"},
            "message": {"content": "<p>Where is order&nbsp;10234?</p>", "contentType": "text/html"},
        },
        {"author": {"role": "agent"}, "message": {"content": "One moment.", "contentType": "text/plain"}},
        {"author": {"role": "end-user"}, "message": {"content": "It is late!", "contentType": "text/plain"}},
    ],
}


@pytest.mark.parametrize("message", [json.dumps(CHATWOOT), ZENDESK], ids=["chatwoot", "zendesk"])
async def test_other_desks_words_are_understood(page: "Page", desk: Shop, message: object) -> None:
    frame = await bare(page, desk)
    offers(desk)
    await page.evaluate("(message) => tell(message)", message)
    await frame.locator(".suggestion").nth(2).wait_for()
    read = desk.engine.calls[-4].body["messages"][-1]["content"]
    assert read == "Where is order 10234?\n[agent] One moment.\nIt is late!"
    heard = await page.evaluate("heard")
    assert {"type": "pindesk.ready"} in [each["data"] for each in heard]
    assert "chatwoot-dashboard-app:fetch-info" in [each["data"] for each in heard]
    assert {each["origin"] for each in heard} == {desk.url.rstrip("/")}


async def test_desk_that_takes_no_insertions_gets_a_copy(page: "Page", desk: Shop) -> None:
    frame = await bare(page, desk)
    offers(desk)
    await page.evaluate("(message) => tell(message)", ZENDESK)
    await frame.locator(".suggestion").nth(2).wait_for()
    await frame.locator(".insert").first.press("1")
    await frame.get_by_text("copy", exact=False).first.wait_for()
    said = [each["data"] for each in await page.evaluate("heard") if isinstance(each["data"], dict)]
    assert [each["template"] for each in said if each["type"] == "pindesk.insert"] == ["order_late"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "null",
        {},
        {"type": "pindesk.token", "token": "pds_planted"},
        {"type": "pindesk.conversation"},
        {"type": "pindesk.conversation", "conversation": {"transcript": "x"}},
        {"type": "pindesk.conversation", "conversation": {"transcript": [{"role": "system", "text": "x"}, None, 1]}},
        {"event": "appContext", "data": {"conversation": {"messages": [{"content": 5, "message_type": 0}]}}},
        {"ticket.conversation": []},
        {"type": "pindesk.sent", "suggestion": "sug_x", "text": "x"},
    ],
)
async def test_other_shapes_are_ignored(page: "Page", desk: Shop, message: object) -> None:
    frame = await bare(page, desk)
    before = len(desk.engine.calls)
    await page.evaluate("(message) => tell(message)", message)
    await page.wait_for_timeout(200)
    await frame.get_by_text("Waiting for the conversation").wait_for()
    assert len(desk.engine.calls) == before
    inner = next(each for each in page.frames if "embed=1" in each.url)
    assert await inner.evaluate(KEPT) != "pds_planted"


async def test_desk_that_is_not_allowed_shows_no_panel(page: "Page", desk: Shop) -> None:
    await page.goto(f"http://127.0.0.1:{HOST_PORT}/host.html?panel={desk.url}")
    await page.wait_for_timeout(500)
    assert await page.frame_locator("#panel").locator(".side-panel").count() == 0
