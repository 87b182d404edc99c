"""Opening hours, by the brand's own clock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from prompts.hours import Hours

HOURS = Hours.model_validate(
    {
        "timezone": "Europe/London",
        "mon": ["09:00-12:30", "13:30-18:00"],
        "sun": ["00:00-24:00"],
        "holidays": ["2026-12-28"],
    }
)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-30 08:59", False),
        ("2026-11-30 09:00", True),
        ("2026-11-30 12:29", True),
        ("2026-11-30 12:30", False),
        ("2026-11-30 13:30", True),
        ("2026-11-30 18:00", False),
        ("2026-11-29 23:59", True),
        ("2026-12-01 10:00", False),
        ("2026-12-28 10:00", False),
        # In summer London is an hour ahead of UTC.
        ("2026-06-29 08:00", True),
        ("2026-06-29 17:00", False),
    ],
)
def test_somebody_is_there_in_the_brands_own_hours(moment: str, is_open: bool) -> None:
    assert HOURS.are_open(at(moment)) is is_open


@pytest.mark.parametrize(
    "fields",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"timezone": "UTC", "mon": ["9-18"]},
        {"timezone": "UTC", "mon": ["18:00-09:00"]},
        {"timezone": "UTC", "mon": ["09:00-09:00"]},
        {"timezone": "UTC", "mon": ["09:60-10:00"]},
        {"timezone": "UTC", "mon": ["09:00-24:01"]},
        {"timezone": "UTC", "mon": "09:00-18:00"},
        {"timezone": "UTC", "monday": ["09:00-18:00"]},
        {"mon": ["09:00-18:00"]},
    ],
)
def test_what_are_no_hours_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate(fields)
