import json
from pathlib import Path

import pytest

from prompts import PackError, Problem, load_pack, pack_of, read_files, system_prompt
from prompts.load import line_of
from tests.prompts.conftest import Edit

MINIMAL = """\
when = "asks for a gift card"
body.en = "Gift cards are under \\"Gifts\\". How much should it be?"
body.zh = "礼品卡在“礼品”里。您想要多少金额？"
"""


def problems(folder: Path) -> list[Problem]:
    """What loading the folder complains of."""
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    assert (caught.value.file, caught.value.line) == (caught.value.problems[0].file, caught.value.problems[0].line)
    return caught.value.problems


def test_a_template_needs_only_a_when_line_and_bodies(folder: Path) -> None:
    (folder / "templates" / "gift_card.toml").write_text(MINIMAL, encoding="utf-8")
    assert "\n- gift_card(): asks for a gift card\n" in system_prompt(load_pack(folder))


def test_the_version_is_the_content(folder: Path) -> None:
    before = load_pack(folder).version
    assert len(before) == 12
    assert load_pack(folder).version == before
    (folder / "notes.txt").write_text("not part of the pack")
    assert load_pack(folder).version == before
    (folder / "policies" / "zz.md").write_text("Be kind.")
    assert load_pack(folder).version != before


def test_a_renamed_file_is_another_version(folder: Path) -> None:
    before = load_pack(folder).version
    (folder / "policies" / "safety.md").rename(folder / "policies" / "other.md")
    assert load_pack(folder).version != before


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        ("templates/thanks.toml", 'action = "reply"', "action = reply", 2, "Not TOML"),
        ("templates/thanks.toml", 'action = "reply"', 'action = "shout"', 2, "action"),
        ("templates/thanks.toml", 'action = "reply"', 'acton = "reply"', 2, "acton"),
        ("templates/thanks.toml", "[body]", "[boody]", 4, "boody"),
        ("templates/track_order.toml", 'kind = "order_id"', 'kind = "parcel"', 6, "kind"),
        ("templates/track_order.toml", 'type = "copied"', 'type = "choice"', 6, "choices"),
        ("templates/track_order.toml", 'failed = "order_unknown_service"\n', "", 8, "failed"),
        ("templates/thanks.toml", 'when = "says', 'when = "says\\n', 1, "when"),
        ("pack.toml", 'brand = "Lumen & Loom"', "brand = 7", 3, "brand"),
        ("pack.toml", "timeout_s = 2.0", "timeout_s = -1", 30, "timeout_s"),
        ("pack.toml", 'callable = "chat.lookups:order_status"\n', "", 27, "either"),
        ("system.md", "{{ brand }}", "{{ colour }}", 1, "colour"),
    ],
)
def test_a_mistake_of_form_is_found_where_it_is(
    folder: Path, edit: Edit, file: str, old: str, new: str, line: int, message: str
) -> None:
    edit(file, old, new)
    found = [problem for problem in problems(folder) if message in problem.message]
    assert [(problem.file, problem.line) for problem in found] == [(file, line)]
    assert found[0].remedy
    assert str(found[0]).startswith(f"{file}:{line}: ")


def test_every_mistake_is_found_in_one_reading(folder: Path, edit: Edit) -> None:
    edit("templates/thanks.toml", 'action = "reply"', 'action = "shout"')
    edit("templates/greeting.toml", "[body]", "[boddy]")
    (folder / "system.md").unlink()
    files = {problem.file for problem in problems(folder)}
    assert files == {"templates/thanks.toml", "templates/greeting.toml", "system.md"}


@pytest.mark.parametrize(("id_line", "lawful"), [('id = "thanks"\n', True), ('id = "merci"\n', False)])
def test_an_id_in_the_file_is_the_files_name(folder: Path, edit: Edit, id_line: str, lawful: bool) -> None:
    edit("templates/thanks.toml", "when", id_line + "when")
    if lawful:
        assert load_pack(folder).templates["thanks"]
    else:
        assert "thanks.toml" in problems(folder)[0].file


def test_a_folder_without_a_pack_is_refused(tmp_path: Path) -> None:
    assert {problem.file for problem in problems(tmp_path)} == {"pack.toml", "system.md", "templates"}


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "templates" / "thanks.toml").write_bytes(b"\xff\xfe")
    (folder / "policies" / "safety.md").write_bytes(b"\xff\xfe")
    assert len(problems(folder)) == 2


def test_lines_are_found_by_keys() -> None:
    text = 'a = 1\n\n[slots]\nx = { type = "copied" }\n[slots.y]\ntype = "fact"\n'
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("slots", "x", "type")) == 4
    assert line_of(text, ("slots", "y", "type")) == 6
    assert line_of(text, ("nowhere",)) == 1


def test_the_share_of_conversations_is_no_part_of_the_version(folder: Path, edit: Edit) -> None:
    before = load_pack(folder)
    edit("pack.toml", 'locale = "en"\n', 'locale = "en"\nrollout = 10\n')
    after = load_pack(folder)
    assert (before.version, before.rollout, after.rollout) == (after.version, 100, 10)
    edit("pack.toml", "warm, brief", "cool, brief")
    assert load_pack(folder).version != before.version


@pytest.mark.parametrize("share", ["0", "101", '"all"'])
def test_a_share_is_a_percentage(folder: Path, edit: Edit, share: str) -> None:
    edit("pack.toml", 'locale = "en"\n', f'locale = "en"\nrollout = {share}\n')
    assert problems(folder)[0].file == "pack.toml"


def test_stored_files_give_the_same_pack(folder: Path) -> None:
    stored = json.loads(json.dumps(read_files(folder)))
    assert pack_of("demo-shop", stored) == load_pack(folder)


def test_line_ends_change_the_version_and_nothing_else(folder: Path) -> None:
    before = load_pack(folder)
    for path in [folder / "system.md", folder / "pack.toml", folder / "templates" / "track_order.toml"]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    after = load_pack(folder)
    assert after.version != before.version
    assert after.model_copy(update={"version": before.version}) == before


def test_files_that_served_before_need_not_obey_later_rules(folder: Path, edit: Edit) -> None:
    edit("templates/thanks.toml", 'when = "says', 'when = "" # says')
    files = read_files(folder)
    with pytest.raises(PackError):
        pack_of("demo-shop", files)
    assert pack_of("demo-shop", files, approved=True).templates["thanks"].when == ""
