import pytest

from backend.training.evaluation.floors import Example, Nearest, constant, copied

EXAMPLES = [
    Example("where is my order 10234", "track_order"),
    Example("I want my money back", "get_refund"),
    Example("cancel order 99999 please", "cancel_order"),
]


@pytest.mark.parametrize(
    ("cue", "answer"),
    [
        ("Where's my ORDER 88811?", "track_order"),
        ("pls cancel", "cancel_order"),
        ("my moneys back now", "get_refund"),
        ("refund of 10234", "track_order"),
    ],
)
def test_the_answer_of_the_most_similar_text_is_copied(cue: str, answer: str) -> None:
    assert [example.answer for example in copied(EXAMPLES, [cue])] == [answer]


def test_digits_make_no_neighbours() -> None:
    assert Nearest(["order 111", "parcel 222"])("parcel 111") == 1


def test_a_text_like_none_gets_the_first() -> None:
    assert Nearest(["a", "b"])("完全不同") == 0


def test_rare_words_count_more() -> None:
    texts = ["I want to return it", "I want to know it", "I want to pay it", "scarf"]
    assert Nearest(texts)("I want to scarf") == 3


def test_nothing_to_be_near_to_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no text"):
        Nearest([])


def test_the_constant_answer_is_the_commonest() -> None:
    assert constant(["a", "b", "b"]) == "b"
