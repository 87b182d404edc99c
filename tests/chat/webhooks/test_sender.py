"""What programs get, over a real connection, and what becomes of a delivery that fails."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from standardwebhooks import Webhook, WebhookVerificationError

from chat.webhooks.sender import MOST_TRIES
from sessions import DeliveryState, Server
from sessions.repository.webhooks import Logged
from tests.chat.conftest import Api, make_settings, serving
from tests.chat.webhooks.receiver import receiving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGUgdGVzdHM="
OLD_SECRET = "whsec_dGhlIG9uZSBiZWZvcmUgaXQ="
WRONG_SECRET = "whsec_c29tZWJvZHkgZWxzZSdz"


@pytest.fixture(scope="module")
def database_url(on_both_databases: str | None) -> str | None:
    return on_both_databases


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(database_url: str | None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    database = {"database_url": database_url} if database_url else {}
    allowed = {"webhook_private_targets": True, "webhook_timeout": timedelta(seconds=0.5)}
    async with serving(make_settings(tmp_path_factory.mktemp("var"), **database, **allowed)) as api:
        yield api


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.webhooks.sender.FIRST_DELAY_S", 0.05)
    monkeypatch.setattr("chat.webhooks.sender.GROWTH", 1)


async def add(api: Api, url: str, **wanted: object) -> str:
    """The only endpoint that there is."""
    async with api.services.store.begin() as repo:
        for endpoint in await repo.webhooks.endpoints():
            await repo.webhooks.remove(endpoint.id)
    async with api.services.store.begin() as repo:
        return (await repo.webhooks.add("demo", url, SECRET, **wanted)).id


async def ended(api: Api, count: int = 1) -> list[Logged]:
    """The log, once so many deliveries have ended."""
    while True:
        async with api.services.store.read() as repo:
            found = await repo.webhooks.deliveries(Server())
        if sum(each.delivery.state != DeliveryState.PENDING for each in found) >= count:
            return list(found)
        await asyncio.sleep(0.02)


def sample(api: Api, outcome: str) -> float:
    metrics = api.services.telemetry.metrics
    return metrics.registry.get_sample_value("pindesk_webhook_deliveries_total", {"outcome": outcome}) or 0.0


async def test_a_program_gets_what_it_can_verify(api: Api) -> None:
    async with receiving() as program:
        endpoint = await add(api, f"{program.url}/hooks")
        async with api.services.store.begin() as repo:
            await repo.webhooks.update(endpoint, secrets=[SECRET, OLD_SECRET])
        one = await api.open()
        (call,) = await program.called(1)
        for secret in (SECRET, OLD_SECRET):
            told = Webhook(secret).verify(call.body, call.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(WRONG_SECRET).verify(call.body, call.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(call.body + b" ", call.headers)
        assert told.keys() == {"type", "timestamp", "data"}
        assert told["type"] == "conversation.opened"
        assert told["data"] == {"conversation_id": one.id, "site": "demo", "locale": "en", "subject": None}
        assert call.headers["content-type"] == "application/json"
        (logged,) = await ended(api)
        assert (logged.delivery.id, logged.delivery.status) == (call.id, 204)


async def test_two_fail_and_the_third_try_says_the_same_under_the_same_id(api: Api) -> None:
    before = sample(api, "retry")
    async with receiving(500, 0, 301) as program:
        await add(api, program.url)
        await api.open()
        (logged,) = await ended(api)
        assert (logged.delivery.state, logged.delivery.tries) == (DeliveryState.DELIVERED, 4)
        assert len({(call.id, call.body) for call in program.calls}) == 1
        assert len(program.calls) == 4
        for call in program.calls:
            Webhook(SECRET).verify(call.body, call.headers)
    assert sample(api, "retry") == before + 3


async def test_after_the_last_try_it_is_dead_until_the_operator_sends_it_again(api: Api) -> None:
    async with receiving(*[500] * MOST_TRIES) as program:
        await add(api, program.url)
        await api.open()
        (logged,) = await ended(api)
        assert (logged.delivery.state, logged.delivery.error) == (DeliveryState.DEAD, "answered 500")
        assert len(program.calls) == MOST_TRIES
        listed = await api.call("GET", "/webhooks/deliveries?state=dead", api.keys["operator"])
        (row,) = listed.json()["data"]
        assert (row["id"], row["type"], row["url"]) == (logged.delivery.id, "conversation.opened", program.url)
        path = f"/webhooks/deliveries/{row['id']}/redeliver"
        assert (await api.call("POST", path, api.keys["operator"])).json()["state"] == "pending"
        assert (await program.called(MOST_TRIES + 1))[-1].id == row["id"]


@pytest.mark.parametrize(("caller", "status"), [(None, 401), ("agent", 403), ("inference", 403), ("operator", 200)])
async def test_the_log_is_the_operators(api: Api, caller: str | None, status: int) -> None:
    answer = await api.call("GET", "/webhooks/deliveries", caller and api.keys[caller])
    assert answer.status_code == status
    answer = await api.call("POST", "/webhooks/deliveries/whd_none/redeliver", caller and api.keys[caller])
    assert answer.status_code == (404 if status == 200 else status)


async def test_gone_disables_the_endpoint(api: Api) -> None:
    async with receiving(410) as program:
        await add(api, program.url)
        await api.open()
        (logged,) = await ended(api)
        assert (logged.delivery.state, logged.endpoint.disabled) == (DeliveryState.DEAD, "answered 410")
        await api.open()
        refused = await api.call("POST", f"/webhooks/deliveries/{logged.delivery.id}/redeliver", api.keys["operator"])
        assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
        assert len(program.calls) == 1


async def test_nobody_listens_there(api: Api) -> None:
    async with receiving() as program:
        url = program.url
    await add(api, url)
    await api.open()
    (logged,) = await ended(api)
    assert (logged.delivery.state, logged.delivery.status) == (DeliveryState.DEAD, None)
    assert "Connector" in logged.delivery.error


async def test_a_slow_program_keeps_no_other_waiting(api: Api) -> None:
    async with receiving(*[0] * 100) as slow, receiving() as quick:
        await add(api, slow.url)
        async with api.services.store.begin() as repo:
            await repo.webhooks.add("demo", quick.url, SECRET)
        for _ in range(8):
            await api.open()
        assert len({call.id for call in await quick.called(8)}) == 8
        assert len(quick.calls) == 8


async def test_personal_data_stays_in_the_house_unless_the_site_says_otherwise(api: Api) -> None:
    said = "I am Ada, reach me at ada@example.com, card 4111 1111 1111 1111"
    for is_masked, seen in ((True, "I am Ada, reach me at [e-mail], card [card]"), (False, said)):
        async with receiving() as program:
            await add(api, program.url, masked=is_masked)
            one = await api.open()
            await api.call("POST", f"{one.path}/rating", one.token, {"score": 2, "comment": said})
            calls = await program.called(2)
            (rated,) = [call.json for call in calls if call.json["type"] == "conversation.rated"]
            assert rated["data"]["comment"] == seen
            assert (rated["data"]["score"], rated["data"]["conversation_id"]) == (2, one.id)


async def test_a_deleted_conversation_is_told_of_no_more(api: Api) -> None:
    async with receiving(500) as program:
        await add(api, program.url)
        one = await api.open()
        await program.called(1)
        assert (await api.call("DELETE", one.path, one.token)).status_code == 204
        async with api.services.store.read() as repo:
            assert await repo.webhooks.deliveries(Server()) == []


async def test_what_one_server_could_not_deliver_the_next_one_does(tmp_path: Path) -> None:
    allowed = {"webhook_private_targets": True, "webhook_timeout": timedelta(seconds=5)}
    async with receiving(500) as program:
        async with serving(make_settings(tmp_path, **allowed)) as api:
            await add(api, program.url)
            await api.open()
            await program.called(1)
        async with serving(make_settings(tmp_path, **allowed)) as api:
            await ended(api)
        first, second = program.calls
        assert (first.id, first.body) == (second.id, second.body)


async def test_nothing_is_sent_into_the_house_by_default(tmp_path: Path) -> None:
    async with receiving() as program, serving(make_settings(tmp_path)) as api:
        for url in (program.url, program.url.replace("http:", "https:"), "https://localhost:9/", "https://2130706433/"):
            await add(api, url)
            await api.open()
            (logged,) = await ended(api)
            assert (logged.delivery.state, logged.delivery.error) == (DeliveryState.DEAD, "target not allowed"), url
        assert program.calls == []
        assert sample(api, "dead") == 4
