from hypothesis import given
from hypothesis import strategies as st

from chat.turns.shown import Growth, Shown

TEXT = st.text(alphabet="ab ", max_size=12)


def test_more_of_the_same_text_is_only_added() -> None:
    shown = Shown()
    assert shown.grow("Let me") == Growth(reset=False, text="Let me")
    assert shown.grow("Let me look") == Growth(reset=False, text=" look")


def test_nothing_new_sends_nothing() -> None:
    assert Shown("Let me").grow("Let me") is None


def test_a_second_attempt_that_is_behind_waits_until_it_catches_up() -> None:
    shown = Shown("Let me look")
    assert shown.grow("Let me") is None
    assert shown.grow("Let me look that up") == Growth(reset=False, text=" that up")


def test_another_text_costs_a_reset() -> None:
    assert Shown("Let me look").grow("I'm sorry") == Growth(reset=True, text="I'm sorry")


@given(first=st.lists(TEXT), second=st.lists(TEXT))
def test_a_surface_that_obeys_shows_the_longest_beginning_that_was_asked_for(
    first: list[str], second: list[str]
) -> None:
    shown, surface, visible = Shown(), "", ""
    for attempt in (first, second):
        visible = ""
        for piece in attempt:
            visible += piece
            if growth := shown.grow(visible):
                surface = growth.text if growth.reset else surface + growth.text
            assert surface == shown.text
            assert surface.startswith(visible)
