"""Refusals as the page gets them."""

from types import SimpleNamespace
from typing import Any

import pytest

from chat.browser.bridge import exposed
from chat.errors import Away, Missing, TooMany, Unprocessable
from chat.schemas.request import RequestBody
from sessions import Conflict, NotFound, Unavailable

SERVICES: Any = SimpleNamespace(proxies=SimpleNamespace(client_address=lambda scope: scope["client"]))
REQUEST: Any = SimpleNamespace(scope={"client": "203.0.113.7"})


class Body(RequestBody):
    text: str


async def call(data: Any, error: Exception | None = None) -> dict[str, Any]:
    async def act(services: Any, body: Body, address: str) -> dict[str, Any]:
        if error is not None:
            raise error
        return {"said": body.text, "by": address}

    return await exposed("act", SERVICES, Body, act)(data, REQUEST)


async def test_an_answer_goes_through() -> None:
    assert await call({"text": "hello"}) == {"said": "hello", "by": "203.0.113.7"}


@pytest.mark.parametrize("data", [None, [], "text", {}, {"text": 1}, {"text": "x", "history": []}])
async def test_what_is_no_body_is_refused(data: Any) -> None:
    assert await call(data) == {"refused": {"code": "invalid_field"}}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TooMany("Too many.", retry_after_s=12.2), {"code": "too_many_requests", "retry_after_s": 13}),
        (Unprocessable("Too long.", code="too_long", limit=2000), {"code": "too_long", "limit": 2000}),
        (Missing(), {"code": "not_found"}),
        (NotFound("no such conversation"), {"code": "not_found"}),
        (Conflict("conversation_closed", "Closed."), {"code": "conversation_closed"}),
        (Away("Restarting.", code="restarting", retry_after_s=1), {"code": "unavailable", "retry_after_s": 1}),
    ],
)
async def test_a_refusal_is_data(error: Exception, told: dict[str, Any]) -> None:
    assert await call({"text": "hello"}, error) == {"refused": told}


async def test_an_absent_store_is_unavailable() -> None:
    assert (await call({"text": "hello"}, Unavailable("locked")))["refused"]["code"] == "unavailable"


async def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        await call({"text": "hello"}, ZeroDivisionError())
