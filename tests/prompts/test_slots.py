import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import InvalidReply, Kind, Slot, SlotType, Ungrounded, candidates, grounded, lawful


def copied(kind: Kind = Kind.TEXT, **keys: object) -> Slot:
    """A copied slot."""
    return Slot(name="x", type=SlotType.COPIED, kind=kind, **keys)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.ORDER_ID, "10234", "where is my order 10234?"),
        (Kind.ORDER_ID, "10234", "order #10234."),
        (Kind.ORDER_ID, "#10234", "order 10234"),
        (Kind.ORDER_ID, "ab-10234", "It's AB-10234!"),
        (Kind.ORDER_ID, "AB 10234", "it's ab-10234"),
        (Kind.ORDER_ID, "10234", "that is 1 0 2 3 4"),
        (Kind.ORDER_ID, "AB10234", "AB 10234"),
        (Kind.ORDER_ID, "10234", "orders 10234/10235"),
        (Kind.ORDER_ID, "10234/7", "order 10234/7"),
        (Kind.ORDER_ID, "10234", "order １０２３４"),
        (Kind.ORDER_ID, "10234", "我的订单10234在哪里"),
        (Kind.EMAIL, "Jo@Example.com", "it is jo@example.com."),
        (Kind.EMAIL, "jo+x@example.co.uk", "<jo+x@example.co.uk>"),
        (Kind.PHONE, "+44 20 7946 0000", "call +442079460000"),
        (Kind.PHONE, "020-7946-0000", "(020) 7946 0000"),
        (Kind.AMOUNT, "$50", "I paid $50."),
        (Kind.AMOUNT, "50", "I paid $50"),
        (Kind.AMOUNT, "$1,249.00", "you owe me 1249 dollars"),
        (Kind.AMOUNT, "50 euros", "€ 50,00 are gone"),
        (Kind.AMOUNT, "fifty dollars", "I want my fifty dollars"),
        (Kind.AMOUNT, "50元", "退我50元"),
        (Kind.AMOUNT, "30 quid", "it cost £30"),
        (Kind.AMOUNT, "Rs.1,499", "I paid 1499 rupees"),
        (Kind.AMOUNT, "a tenner", "It cost me a tenner"),
        (Kind.AMOUNT, "65 pence", "65p too much"),
        (Kind.DATE, "12 March", "It was due on 12 March 2026"),
        (Kind.DATE, "last  Monday", "since last Monday"),
        (Kind.TEXT, "Linen Curtain", "the linen\n curtain is torn"),
        (Kind.TEXT, "上海", "我住在上海的浦东"),
        (Kind.TEXT, "cafe\u0301 table", "my café table"),
        (Kind.TEXT, "C++ mug", "a C++ mug please"),
        (Kind.TEXT, "ﬁg tree", "a fig tree"),
    ],
)
def test_a_value_that_the_customer_wrote_is_grounded(kind: Kind, value: str, text: str) -> None:
    assert grounded(value, copied(kind), ["hello", text])
    assert lawful(copied(kind), value, [text]) is not None


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.ORDER_ID, "10235", "order 10234"),
        (Kind.ORDER_ID, "1023", "order 10234"),
        (Kind.ORDER_ID, "10234", "order 110234"),
        (Kind.ORDER_ID, "10234", "order AB-10234"),
        (Kind.ORDER_ID, "1023", "order 1023-44"),
        (Kind.EMAIL, "o@example.com", "jo@example.com"),
        (Kind.EMAIL, "jo@example.co", "jo@example.com"),
        (Kind.PHONE, "2079460000", "+442079460000"),
        (Kind.AMOUNT, "$50", "$500"),
        (Kind.AMOUNT, "50", "it cost 50.25"),
        (Kind.AMOUNT, "€50", "$50"),
        (Kind.AMOUNT, "12.50", "112.50"),
        (Kind.AMOUNT, "sixty", "fifty"),
        (Kind.DATE, "1 March", "21 March"),
        (Kind.DATE, "3-4", "2026-3-4"),
        (Kind.TEXT, "art", "my cart"),
        (Kind.TEXT, "Paris", "I live in London"),
        (Kind.TEXT, "lamp rug", "lamp, rug"),
    ],
)
def test_a_value_that_the_customer_did_not_write_is_not(kind: Kind, value: str, text: str) -> None:
    assert not grounded(value, copied(kind), ["hello", text])
    with pytest.raises(Ungrounded):
        lawful(copied(kind), value, [text])


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        (copied(Kind.ORDER_ID), "lamp"),
        (copied(Kind.ORDER_ID), "12"),
        (copied(Kind.ORDER_ID), "1" * 31),
        (copied(Kind.EMAIL), "jo at example"),
        (copied(Kind.PHONE), "lamp"),
        (copied(), "?!"),
        (copied(), ""),
        (copied(), "\u202e\u200b"),
        (copied(max_chars=3), "lamp"),
        (copied(pattern=r"T-\d{3}"), "T-12"),
        (Slot(name="x", type=SlotType.CHOICE, choices=("s", "m")), "l"),
        (Slot(name="x", type=SlotType.GENERATED), " \u200b "),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_even_if_it_was_written(slot: Slot, value: str) -> None:
    with pytest.raises(InvalidReply) as caught:
        lawful(slot, value, [value, "lamp 12 T-12 l"])
    assert not isinstance(caught.value, Ungrounded)


def test_null_is_lawful_only_where_it_may_be() -> None:
    assert lawful(copied(optional=True), None, []) is None
    with pytest.raises(InvalidReply):
        lawful(copied(), None, [])


def test_a_pattern_finds_its_values_as_a_whole() -> None:
    slot = copied(pattern=r"T-\d{3,}")
    assert lawful(slot, "t-1234", ["ticket T-1234"]) == "t-1234"
    with pytest.raises(Ungrounded):
        lawful(slot, "T-123", ["ticket T-1234"])


def test_generated_text_is_cut_at_a_word() -> None:
    slot = Slot(name="x", type=SlotType.GENERATED, max_chars=12)
    assert lawful(slot, "one two three four", []) == "one two…"
    assert lawful(slot, "x" * 40, []) == "x" * 11 + "…"
    assert lawful(slot, "one\ntwo", []) == "one two"


def test_candidates_are_all_lawful_values_newest_first() -> None:
    texts = ["my order AB-10234", "no, 55 123 from 2026, #777; jo@example.com"]
    found = candidates(copied(Kind.ORDER_ID), texts)
    assert found is not None
    assert {"2026", "777", "55 123", "AB-10234"} <= set(found)
    assert found.index("2026") < found.index("AB-10234")
    assert "order" not in found
    assert candidates(copied(Kind.EMAIL), texts) == ["jo@example.com"]
    assert candidates(copied(Kind.AMOUNT), ["nothing here"]) == []
    assert candidates(copied(Kind.AMOUNT), ["10234 £20, 10p, a fiver"]) == ["10234", "£20", "10p", "a fiver"]
    assert candidates(copied(Kind.AMOUNT), ["Give me a hundred and fifty dollars or £20!"]) == [
        "£20",
        "a hundred and fifty dollars",
    ]
    paid = "Rs. 1,200.50 it was, Rs.99 fees, no 40rs. Others 45"
    assert candidates(copied(Kind.AMOUNT), [paid]) == ["Rs. 1,200.50", "Rs.99", "40rs", "45"]


def test_candidates_of_an_open_kind_are_runs_of_words() -> None:
    found = candidates(copied(max_chars=12), ["It's 12.50 for the tea-pot", "a b c d e f g"])
    assert found is not None
    assert {"a b c d e f", "tea-pot", "tea", "the tea-pot", "12.50 for"} <= set(found)
    assert not {"a b c d e f g", "12", "50", "12.50 for the"} & set(found), "too many words, cut numbers, too long"
    assert found.index("g") < found.index("tea")
    assert candidates(copied(), ["a lamp", "台灯"]) is None


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("It is 10234, no 10235 and ab 777", ["10234", "10235", "777", "ab 777"]),
        ("It's AB 777, not ORD 888", ["888", "AB 777"]),
        ("DO YOU SEE AB 777", ["777", "AB 777"]),
        ("IS IT AB 777", ["777", "AB 777"]),
        ("It's 88-XA-0", ["88-XA-0"]),
    ],
)
def test_a_word_before_a_number_is_part_of_it_if_it_says_nothing_and_surely_if_it_is_in_capitals(
    text: str, offered: list[str]
) -> None:
    assert candidates(copied(Kind.ORDER_ID), [text]) == offered


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("TK-19.41 please", ["TK-19.41"]),
        ("RB/1180/7", ["RB/1180/7"]),
        ("83.PRM.4", ["83.PRM.4"]),
        ("83.prm.4 it is", ["83.prm.4"]),
        ("MY ORDER NUMBER 83.PRM.4", ["83.PRM.4"]),
        ("66.12.AK. Is it here", ["66.12.AK"]),
        ("order 10234.I want", ["10234"]),
        ("my order: 77120 45", ["77120 45"]),
        ("77120 450 days late", ["77120", "450", "77120 450"]),
        ("AB 10 234", ["AB 10 234"]),
        ("orders 10234/10235", ["10234", "10235", "10234/10235"]),
        ("10234 204567 3099 405060 70809 10203040", ["10234", "204567", "3099", "405060", "70809", "10203040"]),
    ],
)
def test_a_piece_of_an_order_number_is_not_offered_beside_it(text: str, offered: list[str]) -> None:
    assert candidates(copied(Kind.ORDER_ID), [text]) == offered


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("it is 55 0416 CT", ["0416", "55 0416", "55 0416 CT"]),
        ("SC 7741 B", ["SC 7741", "7741 B", "SC 7741 B"]),
        ("7 DL 339", ["DL 339", "7 DL 339"]),
        ("order 10234 OK", ["10234"]),
        ("AB-10234 I want it", ["AB-10234"]),
        ("10234 now please", ["10234"]),
        ("WHERE IS ORDER 10234 BY NOW", ["10234"]),
    ],
)
def test_letters_inside_a_number_are_part_of_it_if_they_are_capitals_and_no_word(text: str, offered: list[str]) -> None:
    assert candidates(copied(Kind.ORDER_ID), [text]) == offered


def test_what_is_too_long_to_show_is_no_candidate() -> None:
    assert candidates(copied(Kind.EMAIL, max_chars=20), [f"{'x' * 20}@example.com or jo@example.com"]) == [
        "jo@example.com"
    ]


@given(st.lists(st.text(max_size=60), max_size=3), st.sampled_from([*Kind]))
def test_every_candidate_is_lawful(texts: list[str], kind: Kind) -> None:
    for value in candidates(copied(kind, max_chars=200), texts) or []:
        assert lawful(copied(kind, max_chars=200), value, texts)


@given(st.text(max_size=40), st.text(max_size=10), st.sampled_from([*Kind]))
def test_whatever_is_lawful_is_short_visible_and_stands_in_the_text(text: str, value: str, kind: Kind) -> None:
    slot = copied(kind)
    try:
        clean = lawful(slot, value, [text])
    except InvalidReply:
        return
    assert clean is not None
    assert clean.isprintable()
    assert len(clean) <= slot.max_chars
    assert grounded(clean, slot, [text])
