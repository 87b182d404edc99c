"""The operator's figures. What counts as what is said in `sessions.repository.figures`."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from sessions import TemplateReplies, Times


class TimesOut(BaseModel):
    """From a message's acceptance to the first visible text of its reply, over `count` replies; nearest rank."""

    count: int
    median_ms: float
    p95_ms: float

    @classmethod
    def of(cls, times: Times | None) -> Self | None:
        return times and cls(count=times.count, median_ms=times.median_ms, p95_ms=times.p95_ms)


class SlotOut(BaseModel):
    """An hour or a day of the period: conversations that began in it, replies that were asked for in it."""

    begins: datetime
    ends: datetime
    conversations: int
    handed_off: int
    first_text: TimesOut | None


class TemplateFigures(BaseModel):
    """Replies by the template with customers' thumbs; suggestions by it that agents were shown, and their outcome."""

    site: str
    template: str
    replies: int = 0
    up: int = 0
    down: int = 0
    suggested: int = 0
    accepted: int = 0
    edited: int = 0
    rejected: int = 0
    withdrawn: int = 0

    @classmethod
    def of(cls, replied: TemplateReplies) -> Self:
        counted = {"replies": replied.replies, "up": replied.up, "down": replied.down}
        return cls(site=replied.site, template=replied.template, **counted)


class SiteName(BaseModel):
    key: str
    name: str


class FiguresOut(BaseModel):
    """A period from `begins` to `ends` as it was `at`; shares are 0 to 1, null where there is nothing to divide by.

    `conversations` began in the period and the customer said something. `ended` were closed, or quiet for an hour.
    `resolved` are those of them that the customer rated 4 or 5, or that were not rated 1 or 2, had no human called
    into them and got every reply; `resolution_rate` is `resolved / ended`. `handed_off` had a human called into them
    or taking over. `replies` and `failed` are turns of the period, tokens those of the replies. `sites` are the
    caller's, for a choice among them.
    """

    period: str
    begins: datetime
    ends: datetime
    at: datetime
    conversations: int
    ended: int
    resolved: int
    resolution_rate: float | None
    handed_off: int
    handoff_rate: float | None
    replies: int
    failed: int
    first_text: TimesOut | None
    prompt_tokens: int
    cached_tokens: int
    cached_share: float | None
    slots: list[SlotOut]
    templates: list[TemplateFigures]
    sites: list[SiteName]
