import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.masking import AGENT_KINDS, Kind, find, mask, mask_values


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("my card 4111 1111 1111 1111, order 10234", "my card [card], order 10234"),
        ("mail jane.o'neil+x@mail.example.co.uk.", "mail [e-mail]."),
        ("IBAN DE89 3704 0044 0532 0130 00 thanks", "IBAN [iban] thanks"),
        ("ssn 536-90-4399", "ssn [national id]"),
        ("call +44 20 7946 0958", "call [phone]"),
        ("my phone is 4155552671", "my phone is [phone]"),
        ("我的手机是13800138000", "我的手机是[phone]"),
    ],
)
def test_what_is_personal_is_replaced_by_its_kind(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 123-4567890-1234567 for $149.99 on 2026-11-03",
        "order 4155552671 is late",
        "my card 4111 1111 1111 1112",
        "IBAN DE89 3704 0044 0532 0130 01",
        "tracking 1Z999AA10123456784",
        "meet me @ the shop",
    ],
    ids=["order and amount", "order of ten digits", "wrong card digit", "wrong iban digit", "parcel", "at sign"],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert mask(text) == text


def test_a_name_is_masked_where_it_is_known_as_a_whole_word_in_any_case() -> None:
    assert (
        mask("jane's order, said Jane; Janet agrees", names=["Jane", " "])
        == "[name]'s order, said [name]; Janet agrees"
    )


def test_a_name_is_data_not_a_pattern() -> None:
    assert mask("a.c and abc", names=["a.c"]) == "[name] and abc"


def test_agents_see_how_to_reach_a_customer_and_not_what_pays() -> None:
    text = "4111111111111111 jane@example.com +44 20 7946 0958"

    assert mask(text, AGENT_KINDS) == "[card] jane@example.com +44 20 7946 0958"


def test_finds_that_overlap_count_as_one_of_the_longer_ones_kind() -> None:
    found = find("DE89 3704 0044 0532 0130 00")

    assert [(each.start, each.end, each.kind) for each in found] == [(0, 27, Kind.IBAN)]


def test_every_string_of_a_json_value_is_masked_and_nothing_else() -> None:
    value = {"text": "jane@example.com", "n": [4111111111111111, None, ["4111111111111111"]], "ok": True}

    assert mask_values(value) == {"text": "[e-mail]", "n": [4111111111111111, None, ["[card]"]], "ok": True}


@given(st.text(max_size=20, alphabet=st.characters(categories=["L", "P", "Z"])), st.integers(1, 99))
def test_a_card_is_found_among_words_and_other_numbers(words: str, number: int) -> None:
    assert "1111" not in mask(f"{words} {number} 4111 1111 1111 1111 {number} {words}")


@given(st.text())
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)

    assert mask(once) == once
