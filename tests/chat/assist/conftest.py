"""The application over one scripted replica, and an agent who has a conversation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import delete

from sessions import Scope, Suggestion, SuggestionOutcome
from tests.chat.conftest import Api, Opened, make_settings, serving
from tests.chat.turns.test_answering import Desk, script
from tests.scripted_engine import ScriptedEngine


@dataclass
class Help:
    """`kim` is an agent's key. The engine speaks only what a test has told it."""

    desk: Desk
    engine: ScriptedEngine
    kim: str
    counted: dict[tuple[str, str], float] = field(default_factory=dict)

    async def forget(self) -> None:
        """Begin a test: nothing was suggested yet, and the engine was asked nothing."""
        self.engine.clear()
        self.engine.calls.clear()
        async with self.api.services.store.begin() as repo:
            await repo.tx.session.execute(delete(Suggestion))
            await repo.packs.restore("demo-shop", "cancel_order")
        await self.api.services.packs._look()
        self.counted = {}
        self.counted = {key: await self.metric(*key) for key in product(OUTCOMES, SLOTS)}

    @property
    def api(self) -> Api:
        return self.desk.api

    async def talk(self, text: str = "Where is my order 10234?", **slots: str) -> Opened:
        """A conversation in which the bot has answered the text."""
        one = await self.api.open()
        self.engine.enqueue(script("track_order", {"order_id": "10234"} | slots))
        await self.desk.settled(await self.desk.say(one, text))
        return one

    async def taken(self) -> Opened:
        """One that the agent has taken over."""
        one = await self.talk()
        await self.call(f"/agent{one.path}/takeover")
        return one

    async def suggested(self, one: Opened, *templates: str) -> list[dict[str, Any]]:
        """Suggestions by these templates, in this order."""
        self.engine.enqueue(*(script(each, SLOTS[each]) for each in templates))
        answer = await self.call(f"/agent{one.path}/suggestions")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def call(self, path: str, json: Any = None) -> httpx.Response:
        return await self.api.call("POST", path, self.kim, json)

    async def outcomes(self) -> dict[str, dict[str, Any]]:
        """What the operator sees, by template."""
        listed = await self.api.call("GET", "/suggestions/outcomes", self.api.keys["operator"])
        return {row["template"]: row for row in listed.json()["data"]}

    async def metric(self, outcome: str, template: str) -> float:
        """What the counter has counted in this test."""
        labels = {"outcome": outcome, "site": "demo", "template": template}
        registry = self.api.services.telemetry.metrics.registry
        now = registry.get_sample_value("pindesk_suggestions_total", labels) or 0
        return now - self.counted.get((outcome, template), 0)


SLOTS: dict[str, dict[str, str | None]] = {
    "order_late": {"order_id": "10234", "date": None},
    "get_refund": {"order_id": "10234", "amount": None},
    "cancel_order": {"order_id": "10234"},
    "check_payment_methods": {},
    "delivery_period": {"order_id": None},
    "complaint": {},
}


OUTCOMES = ("shown", *SuggestionOutcome)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_help_desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Help]:
    async with ScriptedEngine() as engine:
        settings = make_settings(tmp_path_factory.mktemp("var"), replicas=[engine.url])
        async with serving(settings) as api:
            await api.services.replicas.wait_ready(30)
            async with api.services.store.begin() as repo:
                kim = await repo.sites.add_key(Scope.AGENT, ["demo"], "Kim")
            yield Help(Desk(api, {"r0": engine}), engine, kim)


@pytest_asyncio.fixture(loop_scope="module")
async def help_desk(module_help_desk: Help) -> Help:
    """One application for the tests of a module, which carry `asyncio(loop_scope="module")`."""
    await module_help_desk.forget()
    return module_help_desk
