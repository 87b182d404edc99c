"""When a brand's people are there, by its own clock. Pure."""

import re
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from prompts.template import Frozen

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone such as Europe/London") from error
    return name


def _span(written: Any) -> Any:
    """`09:00-18:00`; 24:00 is the end of the day."""
    found = _SPAN.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"{written!r} is no span such as 09:00-18:00")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    begin, end = hour * 60 + minute, to_hour * 60 + to_minute
    if minute > 59 or to_minute > 59 or not begin < end <= 24 * 60:
        raise ValueError(f"{written!r} does not end after its beginning on the same day")
    return begin, end


Span = Annotated[tuple[int, int], BeforeValidator(_span)]
"""Minutes of the day from which and until which somebody is there."""


class Hours(Frozen):
    """The spans of each weekday in `timezone`; a day without one is closed, and so is each of `holidays`."""

    timezone: Annotated[str, AfterValidator(_zone)]
    mon: tuple[Span, ...] = ()
    tue: tuple[Span, ...] = ()
    wed: tuple[Span, ...] = ()
    thu: tuple[Span, ...] = ()
    fri: tuple[Span, ...] = ()
    sat: tuple[Span, ...] = ()
    sun: tuple[Span, ...] = ()
    holidays: tuple[date, ...] = Field(default=())

    def are_open(self, moment: datetime) -> bool:
        """Whether somebody is supposed to be there at an aware moment."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        if local.date() in self.holidays:
            return False
        return any(begin <= _minute(local.time()) < end for begin, end in getattr(self, DAYS[local.weekday()]))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
