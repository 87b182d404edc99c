"""Alive, ready, and who may read the figures."""

import httpx
import pytest

from backend.placement import ReplicaState, Snapshot
from chat.readiness import no_replica
from sessions import Unavailable
from tests.chat.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


def replica(state: ReplicaState, name: str = "r0") -> Snapshot:
    return Snapshot(name, "http://127.0.0.1:9", state)


async def test_not_ready_without_a_replica_and_says_so(api: Api) -> None:
    for path in ("/readyz", "/api/v1/readyz"):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert "r0 is" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) >= 1
    assert (await api.client.get("/livez")).json() == {"status": "ok"}


@pytest.mark.parametrize("state", [ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.SUSPECT])
async def test_ready_while_one_replica_serves(state: ReplicaState) -> None:
    assert no_replica([replica(ReplicaState.DOWN), replica(state, "r1")]) is None


@pytest.mark.parametrize("state", [ReplicaState.STARTING, ReplicaState.WARMING, ReplicaState.DOWN])
async def test_not_ready_while_none_serves(state: ReplicaState) -> None:
    assert no_replica([replica(state)]) == f"No replica is ready: r0 is {state.value}."
    assert no_replica([]) == "No replica is configured."


async def test_not_ready_while_stopping(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.services.streams, "closed", True)
    assert (await api.client.get("/readyz")).json()["detail"] == "The server is stopping."
    one = await api.open()
    answer = await api.call("GET", f"{one.path}/events", one.token)
    assert (answer.status_code, answer.json()["code"]) == (503, "restarting")


async def test_metrics_are_for_this_machine_or_the_operator(api: Api) -> None:
    assert "pindesk_turns_total" in (await api.client.get("/metrics")).text
    elsewhere = httpx.ASGITransport(api.app, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://web") as client:
        assert (await client.get("/metrics")).status_code == 401
        for caller, status in (("agent", 403), ("inference", 403), ("operator", 200)):
            answer = await client.get("/metrics", headers={"Authorization": f"Bearer {api.keys[caller]}"})
            assert answer.status_code == status
    proxied = await api.client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    assert proxied.status_code == 401


async def test_metrics_have_the_contracts_names(api: Api) -> None:
    answer = await api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in ("pindesk_turns_total", "pindesk_prompt_tokens_total", "pindesk_cached_prompt_tokens_total"):
        assert f"# TYPE {name} counter" in answer.text


async def test_metrics_tell_of_machine_replicas_and_queue(api: Api) -> None:
    one = await api.open()
    body = {"text": "hello", "client_turn_id": "1"}
    assert (await api.call("POST", f"{one.path}/turns", one.token, body)).status_code == 202

    text = (await api.client.get("/metrics")).text

    assert 'pindesk_replica_state{replica="r0",state="starting"} 1.0' in text
    assert 'pindesk_replica_state{replica="r0",state="ready"} 0.0' in text
    assert 'pindesk_machine_memory_bytes{state="available"}' in text
    assert 'pindesk_machine_cpu_seconds_total{mode="user"}' in text
    assert "pindesk_turns_waiting" in text


async def test_metrics_come_without_the_database_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("away")

    monkeypatch.setattr(api.services.store, "read", away)

    answer = await api.client.get("/metrics")

    assert answer.status_code == 200 and "pindesk_replica_state" in answer.text
