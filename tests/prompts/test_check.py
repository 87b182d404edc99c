import os
import subprocess
import sys
from pathlib import Path

import pytest

from prompts.__main__ import main
from prompts.check import PACKS, check, pack_folders
from prompts.grammar import Grammar
from tests.prompts.conftest import DEMO, Edit


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's compiler takes seconds to load: `test_grammar` asks it."""
    monkeypatch.setattr("prompts.figures.compiled", lambda pack, model: Grammar())


def test_the_packs_that_ship_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert "demo-shop: ok, " in told
    assert " templates, system prompt " in told


def test_a_mistake_is_printed_with_file_line_and_remedy(
    folder: Path, edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("templates/thanks.toml", "very welcome", "very {{ welcome }}")
    assert main(["check", str(folder)]) == 1
    told = capsys.readouterr().out
    assert "demo-shop/templates/thanks.toml:5: The body uses welcome" in told
    assert "Remedy: Declare welcome." in told


@pytest.mark.parametrize("path", ["chat.lookups:no_such", "chat.lookups:address_of"])
def test_a_lookup_without_its_function_is_printed_with_its_line(
    folder: Path, edit: Edit, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    edit("pack.toml", "chat.lookups:order_status", path)
    assert main(["check", str(folder)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"demo-shop/pack.toml:28: The lookup '{path}'")
    assert "async def f(store, *, order_id)" in told


def test_a_pack_over_half_of_the_context_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "demo-shop", "--context", "1000"]) == 1
    told = capsys.readouterr().out
    assert "half of the context is 500" in told
    assert "demo-shop: refused" in told


def test_tokens_are_counted_with_the_models_tokenizer(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    report = check(DEMO, model=tmp_path)
    assert report.figures is not None
    assert report.figures.counted
    assert 300 < report.figures.prompt_tokens < 900
    assert "estimated" not in report.lines()[-1]


def test_a_model_without_a_tokenizer_gives_an_estimate(tmp_path: Path) -> None:
    report = check(DEMO, model=tmp_path)
    assert report.figures is not None
    assert not report.figures.counted


def test_packs_are_found_by_name_or_path(folder: Path) -> None:
    assert pack_folders(["demo-shop", str(folder)]) == [PACKS / "demo-shop", folder]
    assert PACKS / "demo-shop" in pack_folders([])


def test_the_command_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prompts", "check", "demo-shop"],
        cwd=PACKS.parents[1],
        env=os.environ | {"PINDESK_MODEL": "/nowhere"},
        capture_output=True,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"demo-shop: ok")
