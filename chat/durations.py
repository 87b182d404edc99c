"""Durations as people write them in a settings file: `100ms`, `10s`, `30d`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_WRITTEN = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h|d|w)?", re.ASCII)


def parse_duration(value: object) -> object:
    """Read a number with a unit (no unit: seconds); leave ISO 8601 (`PT10S`) and what is no text to pydantic."""
    if not isinstance(value, str) or value.startswith("P"):
        return value
    match = _WRITTEN.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is not a duration such as 100ms, 10s, 12h or 30d")
    return float(match["number"]) * _UNITS[match["unit"] or "s"]


def format_duration(value: timedelta) -> str:
    """Write a duration with the largest unit that divides it, so that `parse_duration` reads it back."""
    for unit in ("d", "h", "m", "s", "ms"):
        if value >= _UNITS[unit] and value % _UNITS[unit] == timedelta(0):
            return f"{value // _UNITS[unit]}{unit}"
    return f"{value.total_seconds():g}s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
