"""What is old goes by itself: conversations, and the counters of callers who have left."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sessions.store
from chat.limits import Limits
from chat.retention import keep_tidy
from sessions import AuditEntry, Unavailable
from telemetry.metrics import Metrics
from tests.chat.conftest import make_settings, serving


async def test_old_conversations_go_and_young_ones_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(make_settings(tmp_path)) as api:
        one = await api.open()
        monkeypatch.setattr(sessions.store, "now", lambda: datetime.now(UTC) + timedelta(days=31))
        for retention, status in ((None, 200), (timedelta(days=32), 200), (timedelta(days=30), 401)):
            tidying = asyncio.create_task(keep_tidy(api.services.store, api.services.limits, retention))
            await asyncio.sleep(0.2)
            tidying.cancel()
            assert (await api.call("GET", f"{one.path}/messages", one.token)).status_code == status


async def test_old_entries_of_the_audit_log_go(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, audit_retention="90d")
    assert make_settings(tmp_path).audit_retention == timedelta(days=365)
    async with serving(settings) as api, api.services.store.begin() as repo:
        for days in (91, 89):
            old = datetime.now(UTC) - timedelta(days=days)
            repo.tx.session.add(AuditEntry(id=f"aud_{days}", actor="x", action="session.begun", at=old))
    # The next start tidies at once, with what the settings say.
    async with serving(settings) as api, asyncio.timeout(10):
        while True:
            async with api.services.store.read() as repo:
                kept = {entry.id for entry in await repo.audit.list()}
            if "aud_91" not in kept:
                break
            await asyncio.sleep(0.02)
        assert kept == {"aud_89"}


async def test_tidying_goes_on_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Away:
        def __init__(self) -> None:
            self.asked = 0

        async def tidy(self, retention: timedelta | None, *, audit: timedelta | None) -> int:
            self.asked += 1
            raise Unavailable("away") if self.asked == 1 else RuntimeError("a fault of ours")

    monkeypatch.setattr("chat.retention.EVERY", timedelta(milliseconds=10))
    store, limits = Away(), Limits(make_settings(tmp_path), Metrics())
    tidying = asyncio.create_task(keep_tidy(store, limits, None))
    await asyncio.sleep(0.2)
    assert not tidying.done()
    assert store.asked > 2
    tidying.cancel()


async def test_counters_of_those_who_left_are_forgotten(tmp_path: Path) -> None:
    limits = Limits(make_settings(tmp_path, open_limit="2/second", conversation_limit="5/hour"), Metrics())
    limits.new_conversation(address="203.0.113.1")
    limits.message(conversation_id="cnv_1", address="203.0.113.1", site="demo")
    await asyncio.sleep(1.1)
    # The library drops what has run out when somebody else is counted.
    limits.message(conversation_id="cnv_1", address="203.0.113.1", site="demo")
    await asyncio.sleep(0.1)
    limits.tidy()
    kept = " ".join(limits._counted.events)
    assert "open" not in kept
    assert "cnv_1" in kept
