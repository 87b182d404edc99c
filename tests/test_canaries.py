"""Fifty pieces of personal data go through a whole Pindesk: none stays in what others read, or in the browser.

One web process over a scripted engine that also fails. `python -m benchmarks.traces` does the same with 1,000 turns on
real replicas.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benchmarks.canaries import Canary, canaries, found_in
from benchmarks.client import Customer
from sessions import Repository, Site, WebhookEndpoint
from telemetry.masking import Kind
from telemetry.store import SpanStore
from tests.chat.browser.shop import REPLY, Shop, written
from tests.chat.browser.test_page import say as say_on_page
from tests.chat.webhooks.receiver import receiving
from tests.chat.widget.conftest import opened, say
from tests.chat.widget.website import SITE, Website
from tests.scripted_engine import Fault, Script

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Frame, Page

LIMITS = dict.fromkeys(("conversation_limit", "address_limit", "site_limit", "open_limit"), "10000/minute")
FAULTS = (
    Script(written().pieces[:3], Fault.ERROR),
    Script(fault=Fault.CRASHED),
    Script(written().pieces[:3], Fault.GARBAGE),
    Script(['{"action":"dance"}']),
)
EVERYTHING = """async () => {
  // A browser may refuse a frame its storage: then there is nothing in it.
  const tried = async (read) => {
    try { return await read(); } catch (refused) { return String(refused); }
  };
  const contents = (base, store) => new Promise((then) => {
    base.transaction(store).objectStore(store).getAll().onsuccess = ({ target }) => then(target.result);
  });
  const opened = (name) => new Promise((then) => {
    indexedDB.open(name).onsuccess = ({ target }) => then(target.result);
  });
  const bases = async () => Promise.all((await indexedDB.databases()).map(async ({ name }) => {
    const base = await opened(name);
    return [name, await Promise.all([...base.objectStoreNames].map((store) => contents(base, store)))];
  }));
  const cached = async () => Promise.all((await caches.keys()).map(async (name) => {
    const cache = await caches.open(name);
    return Promise.all((await cache.keys()).map(async (key) => [key.url, await (await cache.match(key)).text()]));
  }));
  const places = [() => ({ ...localStorage }), () => ({ ...sessionStorage }), () => document.cookie, bases, cached];
  return JSON.stringify([...await Promise.all(places.map(tried)), history.state, window.name, location.href]);
}"""


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(stack, tmp_path_factory.mktemp("canaries"), webhook_private_targets="true", **LIMITS)


def test_the_search_finds_each_canary_however_it_is_written() -> None:
    wanted = canaries()
    assert len(set(wanted)) == 50 and {each.kind for each in wanted} == set(Kind)
    for each in wanted:
        assert each in found_in(f"x {each.text.upper()} x", wanted)
        assert each in found_in(each.text.replace(" ", "").replace("-", ""), wanted)
        assert each in found_in(json.dumps({"said": each.said}), wanted)
    assert found_in("order 10234 of 4 November, phone me", wanted) == set()


@pytest.mark.timeout(300)
async def test_no_log_span_metric_or_webhook_tells_a_customers_data(shop: Shop) -> None:
    wanted = canaries()
    async with receiving() as program, httpx.AsyncClient(base_url=shop.system.url, timeout=30) as http:
        await shop.write(lambda repo: _call_back(repo, program.url))
        read: list[str] = []
        for at, some in enumerate(_in_fours([*wanted, *wanted[:10]])):
            read += await _talk(shop, http, some, at)
        metrics = (await http.get("/metrics")).text
        async with asyncio.timeout(20):
            while sum("reply.done" in call.body.decode() for call in program.calls) < 60:
                await asyncio.sleep(0.1)
    bodies = [call.body.decode() for call in program.calls]
    store = SpanStore(f"sqlite:///{shop.system.var_dir}/pindesk.db")
    async with asyncio.timeout(20):
        while [span.name for span in store.ended_since(0)].count("turn") < 60:
            await asyncio.sleep(0.1)
    spans = store.ended_since(0)
    log = shop.system.web.log.read_text()

    assert found_in("\n".join(read), wanted) == set(wanted), "the customers themselves read what they wrote"
    assert (
        'pindesk_turns_total{outcome="done"} 60.0' in metrics and 'pindesk_attempts_total{outcome="failed"}' in metrics
    )
    assert "attempt_failed" in log and "reply_refused" in log
    assert found_in(metrics, wanted) == set()
    assert found_in(log, wanted) == set()
    assert found_in(json.dumps([[span.name, span.attributes, span.events] for span in spans]), wanted) == set()
    assert found_in("\n".join(bodies), wanted) == set()


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_the_browsers_keep_nothing_that_was_said(chromium: "Browser", shop: Shop) -> None:
    wanted, context = canaries(), await chromium.new_context()
    page = await context.new_page()
    await page.goto(shop.url)
    await page.locator(".desk.awake:not([data-state=loading])").wait_for()
    await _converse(shop, page, wanted[:8], lambda text: say_on_page(page, text))
    await page.reload()
    await page.locator(".line.assistant .choices").wait_for()
    kept = await _kept(context)
    website = Website(shop.system.url)
    await website.start()
    await shop.write(lambda repo: _add_site(repo, website.url))
    page = await context.new_page()
    await page.goto(website.put())
    await page.wait_for_function("window.Pindesk && !Array.isArray(Pindesk)")
    frame = await opened(page)
    await _converse(shop, frame, wanted[8:16], lambda text: say(frame, text))
    kept += await _kept(context)
    draft = wanted[20]
    await frame.locator("#text").fill(draft.said)
    unsent = await _kept_once(context, draft)
    shop.engine.enqueue(*_scripts(draft))
    await frame.locator("#text").press("Enter")
    await frame.get_by_text(draft.text).wait_for()
    await frame.locator(".line.assistant:not(.live)").nth(8).wait_for()
    await asyncio.sleep(0.5)
    kept_behind_it = await _kept(context)
    await website.stop()

    assert "pdc_" in kept and SITE in kept, "what a browser keeps is read at all"
    assert found_in(kept, wanted) == set()
    assert draft in found_in(unsent, wanted), "an unsent text outlives a change of page, in its customer's own tab"
    assert found_in(kept_behind_it, wanted) == set()


def _in_fours(wanted: Sequence[Canary]) -> list[Sequence[Canary]]:
    return [wanted[first : first + 4] for first in range(0, len(wanted), 4)]


def _scripts(canary: Canary) -> list[Script]:
    if canary.kind is Kind.NAME:
        return [written(REPLY | {"template": "greeting", "slots": {"name": canary.text}})]
    return [written(REPLY | {"demand": f"Tells us: {canary.said}"})]


async def _talk(shop: Shop, http: httpx.AsyncClient, some: Sequence[Canary], at: int) -> list[str]:
    """A conversation in which the last turn's first attempt fails; the transcript."""
    customer = await Customer.open(http)
    for canary in some:
        if canary is some[-1]:
            shop.engine.enqueue(FAULTS[at % len(FAULTS)])
        shop.engine.enqueue(*_scripts(canary))
        assert (await customer.ask(canary.said)).ended == "reply.done"
    answer = await http.get(f"{customer.path}/messages", headers=customer.headers)
    return [line["content"] for line in answer.json()["data"]]


async def _converse(shop: Shop, where: "Page | Frame", some: Sequence[Canary], speak: Any) -> None:
    for number, canary in enumerate(some):
        shop.engine.enqueue(*_scripts(canary))
        await speak(canary.said)
        await where.locator(".line.assistant:not(.live)").nth(number).wait_for()


async def _kept(context: "BrowserContext") -> str:
    """Everything that the pages of a browser, their frames and its cookies hold on to."""
    frames = [frame for page in context.pages for frame in page.frames]
    return "\n".join([json.dumps(await context.cookies()), *[await frame.evaluate(EVERYTHING) for frame in frames]])


async def _kept_once(context: "BrowserContext", canary: Canary) -> str:
    async with asyncio.timeout(10):
        while not found_in(kept := await _kept(context), [canary]):
            await asyncio.sleep(0.05)
    return kept


async def _call_back(repo: Repository, url: str) -> WebhookEndpoint:
    return await repo.webhooks.add("demo", url, "whsec_" + "A" * 43 + "=")


async def _add_site(repo: Repository, origin: str) -> None:
    await repo.sites.add(Site(key=SITE, name="Lamps", pack="demo-shop", allowed_origins=[origin]))
