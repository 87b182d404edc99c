"""The operator's figures of a period: today, or the last days, in the operator's own time zone."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chat.errors import Missing, Unprocessable
from chat.schemas.figures import FiguresOut, SiteName, SlotOut, TemplateFigures, TimesOut
from chat.services import Services
from sessions import Repository, Span, Staff, Talks, TemplateOutcomes, TemplateReplies

HOUR = timedelta(hours=1)


class Period(StrEnum):
    """Whole days, the present one with them. A day is cut into hours, several days into days."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def days(self) -> int:
        return {Period.TODAY: 1, Period.WEEK: 7, Period.MONTH: 30}[self]


async def figures(services: Services, operator: Staff, period: Period, site: str | None, zone: str) -> FiguresOut:
    """What the store says of the period. Raises Missing for a site that is none of theirs, Unprocessable."""
    at = datetime.now(UTC)
    spans = spans_of(period, zone_named(zone), at)
    whole = Span(spans[0].begins, spans[-1].ends)
    async with services.store.read() as repo:
        sites = await repo.sites.list(operator)
        if site is not None and site not in {each.key for each in sites}:
            raise Missing("There is no such site.")
        talks = await repo.figures.talks(operator, spans, site=site)
        times = await repo.figures.first_text(operator, spans, site=site)
        [all_times] = await repo.figures.first_text(operator, [whole], site=site)
        replies = await repo.figures.replies(operator, whole, site=site)
        templates = await _templates(repo, operator, whole, site)
    total = sum(talks, Talks())
    return FiguresOut(
        period=period,
        begins=whole.begins,
        ends=whole.ends,
        at=at,
        conversations=total.conversations,
        ended=total.ended,
        resolved=total.resolved,
        resolution_rate=_share(total.resolved, total.ended),
        handed_off=total.handed_off,
        handoff_rate=_share(total.handed_off, total.conversations),
        replies=replies.done,
        failed=replies.failed,
        first_text=TimesOut.of(all_times),
        prompt_tokens=replies.prompt_tokens,
        cached_tokens=replies.cached_tokens,
        cached_share=_share(replies.cached_tokens, replies.prompt_tokens),
        slots=[
            SlotOut(
                begins=span.begins,
                ends=span.ends,
                conversations=part.conversations,
                handed_off=part.handed_off,
                first_text=TimesOut.of(timed),
            )
            for span, part, timed in zip(spans, talks, times, strict=True)
        ],
        templates=templates,
        sites=[SiteName(key=each.key, name=each.name) for each in sites],
    )


async def _templates(repo: Repository, operator: Staff, span: Span, site: str | None) -> list[TemplateFigures]:
    replied = await repo.figures.templates(operator, span, site=site)
    suggested = await repo.suggestions.by_template(operator, site=site, span=span)
    return by_template(replied, suggested)


def by_template(replied: list[TemplateReplies], suggested: list[TemplateOutcomes]) -> list[TemplateFigures]:
    """One row a template of a site, most used first. Pure."""
    rows = {(each.site, each.template): TemplateFigures.of(each) for each in replied}
    for each in suggested:
        row = rows.setdefault((each.site, each.template), TemplateFigures(site=each.site, template=each.template))
        row.suggested, row.withdrawn = each.shown, each.withdrawn
        row.accepted, row.edited, row.rejected = each.accepted, each.edited, each.rejected
    return sorted(rows.values(), key=lambda row: (-row.replies, -row.suggested, row.site, row.template))


def zone_named(name: str) -> ZoneInfo:
    """Raises Unprocessable for a zone that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        told = "zone must be a time zone's name such as Europe/Berlin or UTC that this server knows."
        raise Unprocessable(told, field="zone") from error


def spans_of(period: Period, zone: ZoneInfo, at: datetime) -> list[Span]:
    """The hours of the day, or the days of the period, that `at` is in; a day may have 23 or 25 hours. Pure."""
    today = at.astimezone(zone).date()
    if period is not Period.TODAY:
        first = today - timedelta(days=period.days - 1)
        bounds = [_midnight(first + timedelta(days=number), zone) for number in range(period.days + 1)]
    else:
        begins, ends = _midnight(today, zone), _midnight(today + timedelta(days=1), zone)
        bounds = [begins + HOUR * number for number in range(-(-(ends - begins) // HOUR))] + [ends]
    return [Span(begins, ends) for begins, ends in itertools.pairwise(bounds)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
