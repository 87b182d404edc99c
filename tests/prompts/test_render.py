import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import BodyError
from prompts.render import names_in, render, render_prefix

BODY = "Hi{% if name %} {{ name }}{% endif %}, order {{ order_id }} goes to {{ city or 'you' }}."


def test_a_prefix_ends_before_the_first_pending_value() -> None:
    pending = {"name", "order_id", "city"}
    seen = []
    for known in [{}, {"name": "Jo"}, {"name": "Jo", "order_id": "1"}, {"name": "Jo", "order_id": "1", "city": None}]:
        seen.append(render_prefix(BODY, known, pending - known.keys()))
    assert [prefix.text for prefix in seen] == [
        "Hi", "Hi Jo, order", "Hi Jo, order 1 goes to", "Hi Jo, order 1 goes to you.",
    ]  # fmt: skip
    assert [prefix.whole for prefix in seen] == [False, False, False, True]


@given(st.permutations(["name", "order_id", "city"]), st.sampled_from([None, "", "x", "{{ y }}"]))
def test_a_prefix_only_grows_in_whatever_order_values_come(order: list[str], value: str | None) -> None:
    known: dict[str, object] = {}
    shown = ""
    for name in order:
        known[name] = "AB-1" if name == "order_id" else value
        grown = render_prefix(BODY, known, {"name", "order_id", "city"} - known.keys()).text
        assert grown.startswith(shown)
        shown = grown
    assert shown == render(BODY, known)


@pytest.mark.parametrize("value", ["{{ secret }}", "{% raw %}", "{# x #}", "<b>&amp;", "%s {0} ${x}", "\\n"])
def test_values_are_printed_as_they_are(value: str) -> None:
    assert render("[{{ x }}]", {"x": value, "secret": "no"}) == f"[{value}]"


@pytest.mark.parametrize(
    "body",
    [
        "{{ x", "{% if x %}", "{% endif %}", "{% for c in x %}{% endfor %}", "{% set y = 1 %}", "{{ x.y }}",
        "{{ x['y'] }}", "{{ x() }}", "{{ ''.__class__ }}", "{{ x|safe }}", "{{ x|attr('y') }}", "{{ range(9) }}",
        "{% include 'x' %}", "{% import 'x' as y %}", "{% macro m() %}{% endmacro %}", "{{ 'a' * 999999999 }}",
        "{{ x is defined }}", "{{ x ~ x }}", "{% raw %}{{{% endraw %}{{ lipsum }}{{ x|map }}",
    ],
)  # fmt: skip
def test_a_body_holds_only_values_and_conditions(body: str) -> None:
    with pytest.raises(BodyError):
        names_in(body)


@pytest.mark.parametrize("values", [{}, {"x": None}, {"x": True}])
def test_what_is_no_text_is_never_printed(values: dict[str, object]) -> None:
    with pytest.raises(BodyError):
        render("Your {{ x }}", values)


def test_the_line_of_a_fault_is_told() -> None:
    with pytest.raises(BodyError) as caught:
        names_in("one\ntwo {{ x.y }}")
    assert caught.value.line == 2


def test_lines_that_hold_only_a_condition_leave_no_trace() -> None:
    body = "{% if x == 'a' %}\nFirst.\n{% elif x in ['b', 'c'] %}\nSecond.\n{% else %}\nThird.\n{% endif %}"
    assert [render(body, {"x": x}) for x in "abd"] == ["First.", "Second.", "Third."]


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_source_renders_or_is_refused(source: str, value: str) -> None:
    try:
        text = render(source, {"x": value})
    except BodyError:
        return
    assert text == text.strip()


@given(st.lists(st.sampled_from(["{{ x }}", "{{", "{%", " if x ", "%}", " endif ", "}}", "|title", "a", "{#", "\n"])))
def test_any_jumble_of_jinja_renders_or_is_refused(pieces: list[str]) -> None:
    try:
        text = render("".join(pieces), {"x": "{{ 7*7 }}"})
    except BodyError:
        return
    assert "49" not in text
