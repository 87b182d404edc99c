import pytest

from benchmarks.catalogue import SIZES, figures, report, sized
from prompts import load_pack, reply_schema, system_prompt
from prompts.check import PACKS
from prompts.grammar import Grammar
from prompts.schema import templates_in


@pytest.mark.parametrize("size", SIZES)
def test_a_pack_of_any_size_is_made_of_distinct_templates(size: int) -> None:
    pack = sized(load_pack(PACKS / "demo-shop"), size)
    assert len(pack.offered) == sum(len(templates_in(branch)) for branch in reply_schema(pack)["anyOf"]) == size
    lines = [line for line in system_prompt(pack).splitlines() if line.startswith("- ")]
    assert len(lines) == len(set(lines)) >= size


def test_the_report_says_which_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prompts.figures.compiled", lambda pack, model: Grammar(12.0))
    rows = figures(PACKS, 4096)
    assert [row["refused"] for row in rows] == [False, False, True]
    assert report(rows, 4096).splitlines()[-1].endswith("12 ms  refused")
