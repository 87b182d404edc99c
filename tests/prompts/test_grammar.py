"""The engine's compiler, asked in a process of its own."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prompts import Pack, reply_schema
from prompts.__main__ import main
from prompts.grammar import ENGINE_PYTHON, Grammar, compiled, told
from tests.parts import MODEL

MakePython = Callable[[str], Path]


@pytest.fixture
def python(tmp_path: Path) -> MakePython:
    """Makes an environment whose Python runs `body` instead of the compiler."""

    def make(body: str) -> Path:
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        path.chmod(0o755)
        return path

    return make


def test_each_pack_is_a_line_to_one_process(demo: Pack, python: MakePython, tmp_path: Path) -> None:
    count = "for at, line in enumerate(sys.stdin, 1): print('{\"ms\": %d}' % at, flush=True)"
    stub = python(count)
    assert compiled(demo, tmp_path, stub) == Grammar(1)
    assert compiled(demo, tmp_path, stub) == Grammar(2)


@pytest.mark.parametrize("body", ["sys.exit(1)", "sys.stdin.readline()"])
def test_a_compiler_that_ends_measures_nothing(demo: Pack, python: MakePython, tmp_path: Path, body: str) -> None:
    stub = python(body)
    assert compiled(demo, tmp_path, stub) == Grammar()
    assert compiled(demo, tmp_path, stub) == Grammar()


def test_without_the_engines_environment_nothing_is_measured(demo: Pack, tmp_path: Path) -> None:
    assert compiled(demo, tmp_path, tmp_path / "none") == Grammar()


def test_the_templates_are_found_whose_slots_are_refused(demo: Pack) -> None:
    def refusal(schema: object) -> str | None:
        return "too large" if "'amount'" in str(schema) else None

    with_amount = {each.id for each in demo.offered if "amount" in {slot.name for slot in each.asked}}
    assert told(reply_schema(demo), refusal) == Grammar(refused=dict.fromkeys(with_amount, "too large"))


@pytest.mark.engine
@pytest.mark.skipif(not ENGINE_PYTHON.is_file(), reason="the replicas run elsewhere")
def test_the_engines_own_compiler_takes_the_pack_that_ships(
    demo: Pack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINDESK_MODEL", str(MODEL))
    assert main(["check", "demo-shop"]) == 0
    assert "grammar compiled in" in capsys.readouterr().out
