from pathlib import Path

import pytest

from prompts import Fill, InvalidReply, Pack, PackError, load_pack, recalled_in, reply_schema, speakable
from prompts.__main__ import main
from prompts.recall import recall, recall_refusal, restore
from prompts.schema import templates_in


def test_a_recalled_template_is_listed_until_it_is_restored(folder: Path) -> None:
    recall(folder, "thanks")
    recall(folder, "thanks")
    recall(folder, "goodbye")
    assert recalled_in(folder) == {"thanks", "goodbye"}
    restore(folder, "thanks")
    assert recalled_in(folder) == {"goodbye"}


def test_a_recall_is_no_new_version(folder: Path) -> None:
    before = load_pack(folder).version
    recall(folder, "thanks")
    assert load_pack(folder).version == before


def test_the_grammar_and_the_fill_leave_it_out(demo: Pack) -> None:
    only = speakable(demo, {"thanks"})
    left = [name for branch in reply_schema(demo, only=only)["anyOf"] for name in templates_in(branch)]
    assert sorted(left) == sorted(each.id for each in demo.offered if each.id != "thanks")
    with pytest.raises(InvalidReply):
        Fill(demo, "en", ["thanks"], only=only).feed('{"action":"reply","template":"thanks","slots":{}')


def test_nothing_recalled_is_no_restriction(demo: Pack) -> None:
    assert speakable(demo, frozenset()) is None
    assert speakable(demo, {"a_template_of_another_version"}) is None


def test_a_recalled_fall_back_takes_those_with_it_that_may_need_it(demo: Pack) -> None:
    only = speakable(demo, {"order_not_found"})
    assert only is not None
    assert not only & {each.id for each in demo.offered if "order_not_found" in each.fallbacks}
    assert "thanks" in only


@pytest.mark.parametrize("notice", ["unavailable", "closed"])
def test_what_the_application_says_cannot_be_recalled(demo: Pack, notice: str) -> None:
    assert recall_refusal(demo, notice)


def test_the_last_template_cannot_be_recalled(demo: Pack) -> None:
    others = {each.id for each in demo.offered} - {"thanks"}
    assert recall_refusal(demo, "thanks", others)
    assert recall_refusal(demo, "thanks") is None


def test_a_list_that_is_no_toml_is_refused(folder: Path) -> None:
    (folder / "recalled.toml").write_text("thanks")
    with pytest.raises(PackError):
        recalled_in(folder)


def test_the_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["--pack", str(folder)]
    assert main(["recall", "thanks", *there]) == 0
    assert recalled_in(folder) == {"thanks"}
    assert main(["restore", "thanks", *there]) == 0
    assert recalled_in(folder) == frozenset()
    assert main(["restore", "thanks", *there]) == 1
    assert main(["recall", "no_such_template", *there]) == 1
    assert main(["recall", "unavailable", *there]) == 1
    assert "correct its text" in capsys.readouterr().err
