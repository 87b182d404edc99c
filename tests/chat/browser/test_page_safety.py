"""What a customer writes is text, whatever it looks like; what Gradio serves besides the page is out of reach."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.chat.browser.shop import Shop, written
from tests.chat.browser.test_page import answered, say

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)><svg/onload=alert(1)>",
    '"><iframe src="javascript:alert(1)"></iframe>',
    "${alert(1)} {{constructor.constructor('alert(1)')()}} `${alert(1)}`",
    "[click](javascript:alert(1)) **bold** <b>bold</b> <https://evil.example>",
    "\u202egnp.exe\u202c and \u2066isolated\u2069 text",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_as_it_was_written(visit: "Visit", shop: Shop, text: str) -> None:
    shop.engine.enqueue(written())
    page = await visit()
    await say(page, text)
    await answered(page)
    await page.reload()
    await answered(page)
    bubble = page.locator(".line.customer .bubble")
    assert await bubble.evaluate("node => node.textContent") == text
    assert await bubble.evaluate("node => node.querySelectorAll('*:not(span.new)').length") == 0
    assert await page.locator(".thread-title").evaluate("node => node.childElementCount") == 0


@pytest.mark.parametrize(
    "path",
    [
        "upload",
        "file=/etc/hostname",
        "proxy=http://127.0.0.1:9/",
        "info",
        "openapi.json",
        "runs",
        "deep_link",
        "monitoring",
    ],
)
def test_no_other_route_of_gradio_answers(shop: Shop, path: str) -> None:
    for prefix in ("gradio_api/", ""):
        assert httpx.get(f"{shop.url}{prefix}{path}").status_code == 404
        assert httpx.post(f"{shop.url}{prefix}{path}").status_code in (404, 405)


def test_the_page_is_private_and_records_nothing(shop: Shop) -> None:
    config = httpx.get(f"{shop.url}config").json()
    [follow] = config["dependencies"]
    assert follow["api_visibility"] == "private"
    assert config["footer_links"] == [] and not config["pwa"] and not config["mcp_server"]
    assert not (config["run_history"] or config["show_error"] or config["analytics_enabled"])
    assert not config["connect_heartbeat"], "a page holds one connection, not two"


def test_another_visitors_conversation_is_refused(shop: Shop) -> None:
    api = f"{shop.system.url}/api/v1/conversations"
    theirs, mine = (httpx.post(api, json={"site": "demo"}).json() for _ in range(2))
    [desk] = [part for part in httpx.get(f"{shop.url}config").json()["components"] if part["type"] == "html"]
    call = {"component_id": desk["id"], "session_hash": "somebody"}
    data = {"token": mine["token"], "conversation_id": theirs["id"], "text": "hello", "client_turn_id": "1"}
    answer = httpx.post(f"{shop.url}gradio_api/component_server", json=call | {"fn_name": "send", "data": data})
    assert answer.json() == {"refused": {"code": "not_found"}}
    answer = httpx.post(f"{shop.url}gradio_api/component_server", json=call | {"fn_name": "send", "data": {"text": 1}})
    assert answer.json() == {"refused": {"code": "invalid_field"}}
