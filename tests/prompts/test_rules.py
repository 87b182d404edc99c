from pathlib import Path

import pytest

from prompts import PackError, Problem, load_pack
from tests.prompts.conftest import Edit

GENERATED = 'note = { type = "generated" }\n'


def only_problem(folder: Path) -> Problem:
    """The one mistake of the folder."""
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    assert len(caught.value.problems) == 1, caught.value
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        pytest.param("pack.toml", 'locale = "en"', 'locale = "fr"', 5, "default locale", id="default locale"),
        pytest.param("pack.toml", 'zh = "周一', 'fr = "周一', 0, "opening_hours", id="value without a locale"),
        pytest.param("templates/thanks.toml", 'zh = "', 'fr = "', 0, "body", id="body without a locale"),
        pytest.param("templates/track_order.toml", 'zh = "我来', 'fr = "我来', 0, "lead", id="lead without a locale"),
        pytest.param("templates/thanks.toml", "zh = [", "fr = [", 0, "quick_replies", id="quick replies"),
        pytest.param("templates/failed.toml", "hidden = true", 'when = "failed"', 0, "notice failed", id="notice"),
        pytest.param("templates/thanks.toml", 'when = "says thanks, or ok"', 'when = ""', 1, "not told", id="no when"),
        pytest.param(
            "templates/thanks.toml",
            'when = "says thanks, or ok"',
            'when = "Only says hello"',
            1,
            "greeting",
            id="twins",
        ),
        pytest.param(
            "templates/thanks.toml", 'when = "says thanks, or ok"', "hidden = true", 1, "reached", id="hidden"
        ),
        pytest.param("templates/track_order.toml", "order_id = {", "Order = {", 0, "", id="slot name"),
        pytest.param(
            "templates/review.toml",
            "[slots]\n",
            "[slots]\nbrand = { type = 'copied' }\n",
            5,
            "brand",
            id="slot is a value",
        ),
        pytest.param(
            "templates/track_order.toml",
            "[slots]\n",
            "[slots]\nstatus = { type = 'copied' }\n",
            6,
            "status",
            id="slot is a fact",
        ),
        pytest.param(
            "templates/review.toml", "[slots]\n", f"[slots]\n{GENERATED}", 5, "forbids", id="generated forbidden"
        ),
        pytest.param(
            "templates/review.toml",
            "[slots]\n",
            "[slots]\neta = { type = 'fact' }\n",
            5,
            "No lookup",
            id="fact without a lookup",
        ),
        pytest.param(
            "templates/review.toml",
            'product = { type = "copied"',
            'product = { type = "copied", pattern = "("',
            5,
            "compile",
            id="pattern",
        ),
        pytest.param(
            "templates/review.toml",
            "[slots]\n",
            "[slots]\nx = { type = 'choice', choices = ['a'], kind = 'date' }\n",
            5,
            "Only copied",
            id="choice with a kind",
        ),
        pytest.param(
            "templates/review.toml",
            "[slots]\n",
            "[slots]\nx = { type = 'choice', choices = ['a', 'b', 'a'] }\n",
            5,
            "comes twice",
            id="choice twice",
        ),
        *[
            pytest.param(
                "templates/review.toml",
                "[slots]\n",
                f"[slots]\nx = {{ type = 'choice', choices = ['a', {choice}] }}\n",
                5,
                "A choice is empty",
                id=f"choice {choice}",
            )
            for choice in ("''", "'a|b'", "' a'", '"a\\nb"', '"a\\u202eb"')
        ],
        pytest.param(
            "templates/track_order.toml",
            'name = "order_status"',
            'name = "oracle"',
            9,
            "no lookup oracle",
            id="no such lookup",
        ),
        *[
            pytest.param("pack.toml", 'callable = "chat.lookups:order_status"', f'url = "{url}"', 28, message, id=url)
            for url, message in (
                ("shop/orders", "not one of http"),
                ("ftp://shop/orders", "not one of http"),
                ("http://shop/{order_id", "cannot be read"),
                ("http://shop/{}", "cannot be read"),
                ("http://shop/{order_id.x}", "cannot be read"),
                ("http://shop/{name}", "names name"),
            )
        ],
        pytest.param("pack.toml", 'args = ["order_id"]', 'args = ["order_id", "name"]', 0, "needs name", id="argument"),
        pytest.param(
            "templates/track_order.toml",
            'not_found = "order_not_found"',
            'not_found = "thanks"',
            10,
            "fall-back thanks",
            id="fall-back not hidden",
        ),
        pytest.param(
            "templates/track_order.toml",
            'not_found = "order_not_found"',
            'not_found = "unavailable"',
            10,
            "share the lead",
            id="fall-back without the lead",
        ),
        pytest.param(
            "templates/track_order.toml", 'en = "Let me', 'en = "Well, let me', 0, "share the lead", id="other lead"
        ),
        pytest.param(
            "templates/order_not_found.toml",
            "[slots]\n",
            "[slots]\nx = { type = 'copied' }\n",
            0,
            "needs slot x",
            id="slot",
        ),
        pytest.param(
            "templates/thanks.toml",
            "[body]",
            '[lead]\nen = "Oh."\nzh = "哦。"\n[body]',
            5,
            "runs into",
            id="lead without blank",
        ),
        pytest.param(
            "templates/thanks.toml",
            "[body]",
            '[lead]\nen = "Oh {{ x }} "\nzh = "哦。"\n[body]',
            5,
            "plain text",
            id="lead with Jinja",
        ),
        pytest.param("templates/thanks.toml", '"No, that\'s all"', '""', 0, "empty or twice", id="empty quick reply"),
        pytest.param("templates/thanks.toml", "No, that's all", "No, {{ brand }}", 9, "plain text", id="quick reply"),
        pytest.param("pack.toml", "Welcome to", "Welcome to {{ shop }}", 10, "greeting cannot be", id="greeting"),
        pytest.param("pack.toml", '"Where is my order?"', '"About {{ brand }}"', 14, "A starter is", id="starter"),
        pytest.param(
            "templates/thanks.toml", '"No, that\'s all"', f'"{"x" * 41}"', 0, "longer than 40", id="long quick reply"
        ),
        pytest.param("templates/thanks.toml", "very welcome", "very {{ welcome }}", 5, "welcome", id="unknown value"),
        pytest.param("templates/thanks.toml", "very welcome", "very {{ welcome", 5, "rendered", id="broken Jinja"),
        pytest.param("templates/thanks.toml", "very welcome", "{{ 7 * 7 }}", 5, "Mul", id="computing"),
        pytest.param("templates/thanks.toml", "very welcome", "x" * 500, 5, "480 are allowed", id="too long"),
        pytest.param(
            "templates/review.toml",
            "for wanting to write a review",
            "for {{ product }}",
            9,
            "prints None",
            id="prints null",
        ),
        pytest.param(
            "templates/track_order.toml",
            "{% else %}\nI need",
            "{% else %}\n{{ status }} I need",
            0,
            "status",
            id="fact not looked up",
        ),
        pytest.param(
            "templates/agent_joined.toml",
            '"A colleague has joined the conversation."',
            '"{% if brand == 1 %}A colleague has joined.{% endif %}"',
            4,
            "empty",
            id="says nothing",
        ),
    ],
)
def test_a_broken_rule_is_found_where_it_is(
    folder: Path, edit: Edit, file: str, old: str, new: str, line: int, message: str
) -> None:
    edit(file, old, new)
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    found = [problem for problem in caught.value.problems if message in problem.message]
    assert found, caught.value
    if line:
        assert (found[0].file, found[0].line) == (file, line)
    assert found[0].remedy


def test_a_mistake_in_one_template_hides_none_in_another(folder: Path, edit: Edit) -> None:
    edit("templates/thanks.toml", "very welcome", "very {{ welcome }}")
    edit("templates/track_order.toml", 'en = "Let me', 'en = "Well, let me')
    edit("templates/order_late.toml", "{% endif %}", "{% endfi %}")
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    assert {problem.file for problem in caught.value.problems} == {
        f"templates/{name}.toml" for name in ("thanks", "track_order", "order_late")
    }


def test_an_unknown_value_in_a_long_body_is_found_on_its_line(folder: Path, edit: Edit) -> None:
    edit("templates/track_order.toml", "came back to us", "came back {{ why }} to us")
    text = (folder / "templates/track_order.toml").read_text(encoding="utf-8").splitlines()
    assert "{{ why }}" in text[only_problem(folder).line - 1]


def test_generated_slots_are_lawful_where_the_pack_permits_them(folder: Path, edit: Edit) -> None:
    edit("pack.toml", "generated = false", "generated = true")
    edit("templates/review.toml", "[slots]\n", f"[slots]\n{GENERATED}")
    assert [slot.name for slot in load_pack(folder).templates["review"].slots] == ["note", "product"]


def test_facts_may_be_declared_in_the_template_too(folder: Path, edit: Edit) -> None:
    edit("templates/track_order.toml", "[slots]\n", "[slots]\nstatus = { type = 'fact' }\n")
    template = load_pack(folder).templates["track_order"]
    assert [slot.name for slot in template.asked] == ["order_id"]


def test_a_pack_whose_templates_are_all_hidden_is_refused(folder: Path) -> None:
    for path in (folder / "templates").glob("*.toml"):
        if "hidden = true" not in path.read_text(encoding="utf-8"):
            path.unlink()
    with pytest.raises(PackError, match="Every template is hidden"):
        load_pack(folder)


def test_too_many_combinations_are_refused(folder: Path, edit: Edit) -> None:
    slots = "".join(f"s{n} = {{ type = 'copied', optional = true }}\n" for n in range(13))
    edit("templates/review.toml", "[slots]\n", "[slots]\n" + slots)
    with pytest.raises(PackError, match="combinations"):
        load_pack(folder)
