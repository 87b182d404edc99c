"""Who may frame the page, who is heard by it, and what the loader says when it may not."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from chat.widget.framing import frame_policy
from tests.chat.browser.shop import Shop, written
from tests.chat.browser.test_page_safety import HOSTILE
from tests.chat.widget.conftest import answered, frame_of, opened, say, true_in
from tests.chat.widget.website import SITE, Website
from tests.processes import free_port

if TYPE_CHECKING:
    from playwright.async_api import Page

    Visit = Callable[..., Awaitable[Page]]


def ancestors(policy: str) -> str:
    return policy.rpartition("frame-ancestors ")[2]


def test_no_list_means_nobody() -> None:
    assert ancestors(frame_policy([])) == "'none'"
    assert (
        ancestors(frame_policy(["https://a.example", "https://*.b.example"])) == "https://a.example https://*.b.example"
    )


@pytest.mark.browser
def test_the_page_may_be_framed_by_the_sites_origins_only(shop: Shop, website: Website) -> None:
    def policy(site: str) -> str:
        return httpx.get(f"{shop.url}widget", params={"site": site}).headers["content-security-policy"]

    assert ancestors(policy(SITE)) == website.url
    assert shop.system.url in ancestors(policy("demo")).split()
    for policy_of_page in map(policy, (SITE, "demo", "nobody", "")):
        assert "script-src 'self';" in policy_of_page and "unsafe" not in policy_of_page
    unknown = [
        httpx.get(f"{shop.url}widget", params={"site": site}) for site in ("nobody", "", "x' *; frame-ancestors *")
    ]
    assert {ancestors(answer.headers["content-security-policy"]) for answer in unknown} == {"'none'"}
    assert {answer.text for answer in unknown} == {unknown[0].text}


@pytest.mark.browser
def test_the_page_has_no_inline_code(shop: Shop) -> None:
    html = httpx.get(f"{shop.url}widget", params={"site": SITE}).text
    assert "<script>" not in html and "<style" not in html and " style=" not in html and " on" + "click" not in html


@pytest.mark.browser
async def test_a_website_that_is_not_allowed_gets_no_frame(visit: "Visit", shop: Shop, website: Website) -> None:
    stranger = Website(shop.system.url, port=free_port())
    shop.on_loop(stranger.start())
    try:
        page = await visit(stranger.put())
        spoken: list[str] = []
        page.on("console", lambda message: spoken.append(message.text))
        await page.evaluate("Pindesk.on('error', (detail) => (window.trouble = detail)); Pindesk.open()")
        await true_in(page, "window.trouble")
        trouble = await page.evaluate("trouble")
        assert trouble["code"] == "frame_blocked"
        assert any("frame is blocked" in line and "/widget/check?" in line for line in spoken)
        await page.goto(trouble["help"])
        await page.get_by_role("heading", name=f"{stranger.url} is not allowed").wait_for()
        command = f"python -m chat.sites set {SITE} --origin {website.url} --origin {stranger.url}"
        await page.get_by_text(command, exact=True).wait_for()
    finally:
        shop.on_loop(stranger.stop())


@pytest.mark.browser
async def test_a_policy_that_refuses_the_frame_is_named(visit: "Visit", shop: Shop, website: Website) -> None:
    policy = {"Content-Security-Policy": f"script-src {shop.system.url}; frame-src 'none'"}
    page = await visit(website.put(headers=policy))
    await page.evaluate("Pindesk.on('error', (detail) => (window.trouble = detail)); Pindesk.open()")
    await true_in(page, "window.trouble")
    assert await page.evaluate("trouble.code") == "csp"


@pytest.mark.browser
async def test_a_strict_policy_that_names_us_is_enough(visit: "Visit", shop: Shop, website: Website) -> None:
    us = shop.system.url
    strict = f"default-src 'none'; script-src {us}; frame-src {us}; require-trusted-types-for 'script'; base-uri 'none'"
    headers = {"Content-Security-Policy": strict, "Cross-Origin-Embedder-Policy": "require-corp"}
    shop.engine.enqueue(written())
    page = await visit(website.put(headers=headers))
    frame = await opened(page)
    await say(frame, "How can I pay?")
    assert (await answered(frame)).startswith("You can pay by Visa")


@pytest.mark.browser
async def test_only_the_framing_website_is_heard(visit: "Visit", shop: Shop, website: Website) -> None:
    """Another frame of the same website, and the page itself from another origin, say things; nothing comes of it."""
    page = await visit(website.put())
    frame = await opened(page)
    address = frame.url.replace(
        f"origin={website.url.replace(':', '%3A').replace('/', '%2F')}", "origin=http%3A%2F%2Fevil.example"
    )
    assert "evil.example" in address
    await page.evaluate(
        """(address) => {
          window.heard = [];
          addEventListener("message", ({data}) => data?.pindesk && heard.push(data));
          const other = document.body.appendChild(document.createElement("iframe"));
          other.id = "other";
          other.src = address;
        }""",
        address,
    )
    lied_to = page.frame_locator("#other")
    await lied_to.locator("body").wait_for()
    await page.evaluate(
        """() => {
          const frame = document.querySelector("#other").contentWindow;
          frame.postMessage({pindesk: "hello", conversations: [], now: {draft: "planted"}, theme: {}}, "*");
          frame.postMessage({pindesk: "prefill", text: "planted"}, "*");
          frame.postMessage({pindesk: "__proto__"}, "*");
        }"""
    )
    # A sibling frame speaks to the real one.
    await page.frames[1].evaluate("parent.frames[0].postMessage({pindesk: 'prefill', text: 'planted'}, '*')")
    await page.evaluate("postMessage({pindesk: 'keep', now: {draft: 'planted'}}, '*')")
    await page.wait_for_timeout(500)
    assert await lied_to.locator("#text").input_value() == ""
    assert await frame.locator("#text").input_value() == ""
    assert "planted" not in await page.evaluate("JSON.stringify({...sessionStorage})")
    assert [each for each in await page.evaluate("heard") if each["pindesk"] != "keep"] == []


@pytest.mark.browser
@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_text(visit: "Visit", shop: Shop, website: Website, text: str) -> None:
    shop.engine.enqueue(written())
    page = await visit(website.put())
    await page.evaluate("(text) => { Pindesk.prefill(text); Pindesk.open(); }", text)
    frame = await frame_of(page)
    await frame.locator(".send:enabled").click()
    await answered(frame)
    await page.reload()
    frame = await frame_of(page)
    await answered(frame)
    bubble = frame.locator(".line.customer .bubble")
    assert await bubble.evaluate("node => node.textContent") == text
    assert await bubble.evaluate("node => node.childElementCount") == 0
    assert await bubble.evaluate("node => getComputedStyle(node).unicodeBidi") in ("isolate", "plaintext")
