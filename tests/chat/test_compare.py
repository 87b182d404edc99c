import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from chat.compare import FEWEST, interval, main, table, verdict
from chat.settings import get_settings
from sessions import Action, Annotation, FeedbackValue, Outcome, Site, Store, upgrade
from tests.sessions.shop import Chat, claimed, reply


def times(count: int, scale: float = 1.0, seed: int = 7) -> list[float]:
    """Reply times like real ones: log-normal, in ms."""
    spread = random.Random(seed)
    return [scale * spread.lognormvariate(6, 0.4) for _ in range(count)]


def test_the_interval_holds_the_true_percentile_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(200):
        draw = random.Random(seed)
        bounds = interval([draw.random() for _ in range(600)])
        hits += bounds.low <= 0.99 <= bounds.high
    assert hits >= 186


def test_under_the_fewest_there_is_no_upper_bound() -> None:
    assert interval(times(FEWEST - 1)).high == float("inf")
    assert interval(times(FEWEST)).high == max(times(FEWEST))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (times(200), times(5000), "too few data"),
        ([], [], "too few data"),
        (times(5000), times(5000, 0.5), "yes"),
        (times(5000), times(5000, 1.5), "no"),
        (times(5000), times(5000, 1.04, seed=8), "not certain yet"),
    ],
)
def test_the_verdict_leaves_doubt_where_there_is_doubt(old: list[float], new: list[float], said: str) -> None:
    assert verdict(old, new).startswith(f"p99 within 5 %: {said}")


def test_nothing_is_made_up_where_nothing_happened() -> None:
    empty = Outcome(0, 0, 0, 0, 0, 0, 0, 0, (), ())
    lines = table(["shop a", "shop b"], [empty, empty])
    assert sum("no data" in line for line in lines) == 8


async def talk(store: Store, pack: str, version: str, *, hands_off: bool) -> None:
    """One conversation of one answered turn, with a thumb up."""
    async with store.begin() as repo:
        conversation, token = await repo.conversations.open("demo", "en", pack, version)
    chat = Chat(store, conversation.id, token)
    await chat.post()
    claim = await claimed(store)
    said = reply(action=Action.HANDOFF if hands_off else Action.REPLY)
    async with store.begin() as repo:
        message = await repo.turns.finish_reply(claim, replace(said, total_ms=120.0, ttfv_ms=40.0))
        await repo.turns.annotate(claim, Annotation())
        await repo.conversations.feedback(chat.customer, message.id, FeedbackValue.UP)


@pytest.mark.usefixtures("command_log")
async def test_the_command_tells_two_versions_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PINDESK_VAR_DIR", str(tmp_path))
    url = get_settings().database_url
    await upgrade(url)
    store = Store(url)
    async with store.begin() as repo:
        await repo.sites.add(Site(key="demo", name="Demo", pack="shop"))
        for version in ("aaa111", "bbb222"):
            await repo.packs.release("shop", version, {}, 100)
    await talk(store, "shop", "aaa111", hands_off=False)
    await talk(store, "shop", "bbb222", hands_off=True)
    await talk(store, "other", "bbb222", hands_off=True)
    await store.close()

    assert await asyncio.to_thread(main, ["aaa", "bbb"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "shop aaa111 shop bbb222 conversations 1 1 replies 1 1" in told
    assert "handed to a human 0.0% (0 of 1) 100.0% (1 of 1)" in told
    assert "thumbs up 100.0% (1 of 1) 100.0% (1 of 1)" in told
    assert "whole reply, p99 120 ms 120 ms" in told
    assert "too few data" in told
    assert await asyncio.to_thread(main, ["aaa", "zzz"]) == 1
