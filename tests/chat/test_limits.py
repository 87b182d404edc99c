"""Limits by conversation, address and site, over the real application."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chat.conftest import Api, Opened, make_settings, serving

PROXY = {"trusted_proxies": ["127.0.0.1"]}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    limits = {
        "conversation_limit": "2/minute",
        "address_limit": "3/minute",
        "site_limit": "4/minute",
        "open_limit": "5/minute",
    }
    async with serving(make_settings(tmp_path, **limits, **PROXY)) as api:
        yield api


async def post(api: Api, one: Opened, number: int, address: str) -> int:
    sent = {"text": "hello", "client_turn_id": f"t{number}"}
    answer = await api.call("POST", f"{one.path}/turns", one.token, sent, X_Forwarded_For=address)
    if answer.status_code == 429:
        assert answer.json()["code"] == "too_many_requests"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    return answer.status_code


async def test_one_conversation_has_its_limit(api: Api) -> None:
    one = await api.open()
    assert [await post(api, one, number, f"10.0.0.{number}") for number in range(3)] == [202, 202, 429]


async def test_one_address_has_its_limit_over_its_conversations(api: Api) -> None:
    one, two = await api.open(), await api.open()
    seen = [await post(api, opened, number, "10.0.0.1") for number in range(2) for opened in (one, two)]
    assert seen == [202, 202, 202, 429]


async def test_one_site_has_its_limit_and_the_other_site_goes_on(api: Api) -> None:
    opened = [await api.open() for _ in range(3)]
    elsewhere = await api.open("other")
    seen = [await post(api, one, number, f"10.{number}.0.{at}") for number in range(2) for at, one in enumerate(opened)]
    assert seen == [202, 202, 202, 202, 429, 429]
    assert await post(api, elsewhere, 0, "10.9.0.9") == 202


async def test_one_address_may_show_so_many_proofs(api: Api) -> None:
    """As many as messages, and they take nothing from those, nor from new conversations."""
    body = {"site": "demo", "identity": "no token"}
    seen = [(await api.call("POST", "/identify", json=body, X_Forwarded_For="10.0.0.1")).status_code for _ in range(4)]
    assert seen == [422, 422, 422, 429]
    one = await api.open()
    assert await post(api, one, 0, "10.0.0.1") == 202


async def test_a_refused_message_is_not_kept_and_counts_nothing(api: Api) -> None:
    one, two = await api.open(), await api.open()
    assert [await post(api, one, number, "10.0.0.1") for number in range(4)] == [202, 202, 429, 429]
    # The address has had two of its three, whatever was refused.
    assert await post(api, two, 0, "10.0.0.1") == 202
    kinds = await api.kinds(one)
    assert kinds.count("turn.started") == 2


async def test_an_unusable_message_counts_nothing(api: Api) -> None:
    one = await api.open()
    for number in range(5):
        assert (await api.post(one, "", f"t{number}")).status_code == 422
    assert await post(api, one, 0, "10.0.0.1") == 202


async def test_new_conversations_are_limited_by_address(api: Api) -> None:
    async def open_from(address: str) -> int:
        return (await api.call("POST", "/conversations", json={"site": "demo"}, X_Forwarded_For=address)).status_code

    assert [await open_from("10.0.0.1") for _ in range(6)] == [201] * 5 + [429]
    assert await open_from("10.0.0.2") == 201
    assert [await open_from(f"2001:db8:1:2::{number}") for number in range(6)] == [201] * 5 + [429]


async def test_a_stranger_cannot_choose_an_address(tmp_path: Path) -> None:
    async with serving(make_settings(tmp_path, conversation_limit="9/minute", address_limit="2/minute")) as api:
        one = await api.open()
        assert [await post(api, one, number, f"10.0.0.{number}") for number in range(3)] == [202, 202, 429]


async def test_rejections_are_counted(api: Api) -> None:
    one = await api.open()
    for number in range(3):
        await post(api, one, number, "10.0.0.1")
    text = api.services.telemetry.metrics.render().decode()
    assert 'pindesk_rejected_total{reason="conversation_limit"} 1.0' in text
