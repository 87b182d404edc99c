"""The command, from a company's file to its summary."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.training.evaluation import similarity
from benchmarks import reply_quality
from tests.benchmarks.quality.engines import Engine, said, serve


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A server that answers all with thanks, in a thread of its own."""
    engine, loop, started = Engine(lambda _: said("thanks")), asyncio.new_event_loop(), threading.Event()
    ended = asyncio.Event()

    async def run() -> None:
        async with serve(engine):
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    started.wait(10)
    yield engine
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)


@pytest.fixture(autouse=True)
def no_encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is installed beside the app."""
    monkeypatch.setattr(similarity, "is_installed", lambda: False)
    monkeypatch.setattr(reply_quality, "ENGINE", tmp_path)
    monkeypatch.setattr(reply_quality, "encoder", lambda: similarity.encoder(tmp_path / "python"))


def test_a_file_is_answered_and_summed_up(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"turns": [{"role": "customer", "text": "ta"}], "template": "thanks"}\n{}\n', encoding="utf-8")
    assert reply_quality.main(["--dataset", str(path), "--url", f"ours={engine.url}"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "skipped line 2: turns: Field required"
    assert "template right: 100.0 % of 1" in told
    assert [message["content"] for message in engine.asked[0]["messages"][1:]] == ["ta"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--dataset", "/nowhere.jsonl"], "nowhere.jsonl"),
        (["--arms", "plain"], "make engine"),
        (["--dataset", "/dev/null", "--pack", "no-such-pack"], "no-such-pack|pack.toml"),
    ],
)
def test_what_is_missing_is_said(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert reply_quality.main(arguments) == 1
    error = capsys.readouterr().err
    assert "\nreply_quality: " in f"\n{error}"
    assert any(part in error for part in reason.split("|"))
