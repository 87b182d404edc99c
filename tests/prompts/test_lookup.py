from datetime import date, datetime

import pytest

from prompts import Fact, FactType, Lookup, checked_facts
from prompts.lookup import FACT_MAX_CHARS

LOOKUP = Lookup(
    callable="shop:order",
    args=("order_id",),
    facts={
        "status": Fact(choices=("shipped", "delivered")),
        "product": Fact(),
        "price": Fact(type=FactType.NUMBER, optional=True),
        "gift": Fact(type=FactType.BOOLEAN, optional=True),
        "eta": Fact(type=FactType.DATE, optional=True),
    },
)
ANSWER = {"status": "shipped", "product": "lamp", "price": 49.9, "gift": False, "eta": "2026-11-24"}


def test_a_lawful_answer_keeps_its_declared_facts_only() -> None:
    assert checked_facts(LOOKUP, ANSWER | {"customer": "Jo"}) == ANSWER


def test_optional_facts_may_be_null_or_missing() -> None:
    assert checked_facts(LOOKUP, {"status": "shipped", "product": "lamp", "eta": None}) == {
        "status": "shipped", "product": "lamp", "price": None, "gift": None, "eta": None,
    }  # fmt: skip


@pytest.mark.parametrize("eta", [date(2026, 11, 24), datetime(2026, 11, 24, 8, 30), "2026-11-24T08:30:00Z"])
def test_days_come_as_dates_or_iso_8601(eta: object) -> None:
    assert checked_facts(LOOKUP, ANSWER | {"eta": eta})["eta"] == "2026-11-24"


def test_text_becomes_one_short_visible_line() -> None:
    product = checked_facts(LOOKUP, ANSWER | {"product": "a\n\u202eb" + "x" * 999})["product"]
    assert isinstance(product, str)
    assert product.startswith("a bx")
    assert len(product) == FACT_MAX_CHARS


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "lost"}, {"status": None}, {"product": ""}, {"product": 7}, {"product": True}, {"product": ["x"]},
        {"price": "49.9"}, {"price": True}, {"gift": "yes"}, {"gift": 1}, {"eta": "tomorrow"}, {"eta": 20261124},
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Fact|isoformat"):
        checked_facts(LOOKUP, ANSWER | wrong)


@pytest.mark.parametrize("keys", [{}, {"callable": "a:b", "url": "https://shop.example"}])
def test_a_lookup_has_one_source(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either"):
        Lookup(args=("order_id",), facts={"status": Fact()}, **keys)
