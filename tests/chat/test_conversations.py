"""Conversations over the real application: opening, posting, reading, ending, removing."""

import pytest

from tests.chat.conftest import Api, Opened


async def test_opens_with_the_packs_greeting(api: Api) -> None:
    answer = await api.call("POST", "/conversations", json={"site": "demo", "locale": "en-GB"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "token", "greeting"}
    assert body["greeting"] == api.services.packs.named("demo-shop").greeting["en"]
    assert body["token"].startswith("pdc_")


async def test_post_turn_is_accepted_and_its_replay_answers_the_same(api: Api) -> None:
    one = await api.open()
    sent = {"text": "Where is my order?", "client_turn_id": "t1"}
    first = await api.call("POST", f"/conversations/{one.id}/turns", one.token, json=sent)
    again = await api.call("POST", f"/conversations/{one.id}/turns", one.token, json=sent)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert set(first.json()) == {"turn_id", "seq"}
