from datetime import date

import pytest

from prompts import Fact, FactType
from prompts.spoken import spoken, spoken_day


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "4 November 2026"), ("en-GB", "4 November 2026"), ("zh-CN", "2026年11月4日"), ("fr", "2026-11-04")],
)
def test_a_day_is_spoken_in_the_locale(locale: str, text: str) -> None:
    assert spoken_day(date(2026, 11, 4), locale) == text


def test_only_dates_are_rephrased() -> None:
    assert spoken(Fact(type=FactType.DATE), "2026-11-04", "en") == "4 November 2026"
    assert spoken(Fact(type=FactType.DATE), None, "en") is None
    assert spoken(Fact(), "2026-11-04", "en") == "2026-11-04"
