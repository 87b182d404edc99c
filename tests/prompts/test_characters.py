import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.characters import folded, occurs, one_line


@given(st.text())
def test_one_line_is_stable_and_printable(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert line.isprintable()


@given(st.text())
def test_folding_is_stable(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("needle", "haystack", "found"),
    [
        ("lamp", "a lamp.", True),
        ("lamp", "lamps", False),
        ("lamp", "lamps or a lamp", True),
        ("12", "12.5", False),
        ("12", "it is 12.", True),
        ("5", "12.5", False),
        ("上海", "我在上海住", True),
        ("灯", "灯lamp", True),
        ("", "x", False),
    ],
)
def test_whole_words_and_numbers_occur(needle: str, haystack: str, found: bool) -> None:
    assert occurs(needle, haystack) is found
