"""Agents' browsers in front of the whole system: a real `web` process over one scripted replica."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from chat.signin.passwords import hashed
from sessions import Repository, Scope
from tests.chat.browser.conftest import WIDE_LIMITS
from tests.chat.browser.shop import REPLY, Shop, written

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

HOST_PORT = 9999
"""Where the tests' foreign help desk is."""

PASSWORD = "a password of the tests"
_ENDS = ("turn.annotated", "reply.done", "turn.stopped", "turn.failed")
PEOPLE = {"kim@example.com": "Kim", "lee@example.com": "Lee"}


@dataclass
class Talk:
    """A customer's side of one conversation, by the API."""

    client: httpx.AsyncClient
    id: str
    token: str
    count: int = field(default=0)

    async def says(self, text: str) -> None:
        """Post a message and wait until its turn has ended."""
        self.count += 1
        sent = {"text": text, "client_turn_id": f"t{self.count}"}
        answer = await self._post("turns", sent)
        turn = answer.json()["turn_id"]
        async with self.client.stream("GET", self._path("events?after=0"), headers=self._headers()) as events:
            kind = ""
            async for line in events.aiter_lines():
                kind = line.removeprefix("event: ") if line.startswith("event:") else kind
                if kind in _ENDS and line.startswith("data:") and turn in line:
                    return

    async def asks_for_a_human(self) -> None:
        await self._post("handoff", {})

    async def rates(self, score: int, comment: str) -> None:
        await self._post("rating", {"score": score, "comment": comment})

    async def leaves(self, text: str, contact: str) -> None:
        await self._post("leave", {"text": text, "contact": contact})

    async def texts(self) -> list[tuple[str, str]]:
        """The transcript as the customer reads it: (role, content)."""
        answer = await self.client.get(self._path("messages"), headers=self._headers())
        return [(message["role"], message["content"]) for message in answer.json()["data"]]

    async def _post(self, what: str, body: dict[str, Any]) -> httpx.Response:
        answer = await self.client.post(self._path(what), json=body, headers=self._headers())
        return answer.raise_for_status()

    def _path(self, what: str) -> str:
        return f"api/v1/conversations/{self.id}/{what}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="session")
def session_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as stack:
        limits = WIDE_LIMITS | {"conversation_limit": "1000/minute", "login_limit": "1000/minute"}
        yield Shop(stack, tmp_path_factory.mktemp("desk"), embed_origins=f"http://localhost:{HOST_PORT}", **limits)


@pytest_asyncio.fixture
async def desk(session_desk: Shop) -> AsyncIterator[Shop]:
    """One system for all these tests, with two agents of every site."""

    async def people(repo: Repository) -> None:
        for login, name in PEOPLE.items():
            if await repo.people.by_login(login) is None:
                account = await repo.people.add(login, name, [Scope.AGENT], None)
                account.password_hash = hashed(PASSWORD)

    await session_desk.write(people)
    yield session_desk
    session_desk.engine.clear()


@pytest_asyncio.fixture
async def talk(desk: Shop) -> AsyncIterator[Callable[..., Awaitable[Talk]]]:
    """`talk("Which ways to pay are there?")`: a new conversation in which the bot has answered that."""
    async with httpx.AsyncClient(base_url=desk.url, timeout=30, trust_env=False) as client:

        async def open_talk(*texts: str, reply: dict[str, Any] = REPLY) -> Talk:
            opened = (await client.post("api/v1/conversations", json={"site": "demo"})).raise_for_status().json()
            one = Talk(client, opened["id"], opened["token"])
            for text in texts:
                desk.engine.enqueue(written(reply))
                await one.says(text)
            return one

        yield open_talk


@pytest_asyncio.fixture
async def sit(chromium: "Browser", desk: Shop) -> AsyncIterator[Callable[..., Awaitable["Page"]]]:
    """`sit("kim@example.com")`: the panel in an agent's browser; keyword arguments are those of Playwright's context.

    The test fails if a page wanted anything from outside, or threw an error.
    """
    wrong: list[str] = []

    async def open_panel(login: str = "kim@example.com", path: str = "agent", **options: Any) -> "Page":
        context = await chromium.new_context(**{"viewport": {"width": 1360, "height": 850}} | options)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: _inside(request.url, desk.url) or wrong.append(request.url))
        await page.goto(desk.url + path)
        await page.get_by_label("Mail address").fill(login)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.locator(".panel").wait_for()
        return page

    yield open_panel
    assert wrong == []


def _inside(url: str, origin: str) -> bool:
    return url.startswith((origin, "data:", "blob:"))
