"""`repo.figures`: how the desk does, in a period, by site. Every figure is counted from what is stored.

A figure of conversations takes those that began in the period and in which the customer has said something: a chat
that was only opened asks nothing. A figure of replies takes the turns that customers posted in the period, whenever
their conversation began.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Subquery,
    and_,
    case,
    column,
    exists,
    false,
    func,
    or_,
    select,
    true,
    values,
)

from sessions.columns import Moment, now
from sessions.models import Conversation, Event, Feedback, Message, Rating, Turn
from sessions.principal import Scope, Staff
from sessions.repository.part import Part
from sessions.vocabulary import ConversationState, EventKind, FeedbackValue, Role, TurnState

QUIET = timedelta(hours=1)
"""A conversation in which nothing has happened for so long has ended, though nobody closed it."""
GOOD, BAD = 4, 2
"""Ratings of 1 to 5: from `GOOD` on the customer was content, down from `BAD` not."""


@dataclass(frozen=True)
class Span:
    """From `begins` up to, and without, `ends`."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Talks:
    """Conversations. `handed_off` are those that a human was called into, took over, or was left a message in.

    `ended` were closed, or nothing has happened in them for `QUIET`. `resolved` are those of the ended ones that the
    customer rated `GOOD`; and those not rated `BAD` that no human was called into and in which every turn got a reply.
    """

    conversations: int = 0
    handed_off: int = 0
    ended: int = 0
    resolved: int = 0

    def __add__(self, other: "Talks") -> "Talks":
        return Talks(
            self.conversations + other.conversations,
            self.handed_off + other.handed_off,
            self.ended + other.ended,
            self.resolved + other.resolved,
        )


@dataclass(frozen=True)
class Times:
    """Percentiles by nearest rank, in ms, of the times from a message's acceptance to the first visible text of its
    reply. `count` replies were timed."""

    count: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Replies:
    """`done` got a reply, `failed` did not. Tokens are those that the engines counted for the replies."""

    done: int
    failed: int
    prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True)
class TemplateReplies:
    """The replies by one template on one site, and customers' thumbs for them."""

    site: str
    template: str
    replies: int
    up: int
    down: int


class Figures(Part):
    """The operator's sites only, or `site` of them; without the scope everything is zero. Spans follow each other."""

    async def talks(self, operator: Staff, spans: Sequence[Span], *, site: str | None = None) -> list[Talks]:
        """How the conversations went that began in each of the spans."""
        span, handed_off = _numbered(spans), _handed_off()
        ended = or_(Conversation.state == ConversationState.CLOSED, Conversation.updated_at < now() - QUIET)
        counted = (
            select(span.c.number, func.count(), _sum(handed_off), _sum(ended), _sum(and_(ended, _resolved(handed_off))))
            .select_from(span)
            .join(Conversation, _within(Conversation.created_at, span))
            .outerjoin(Rating, Rating.conversation_id == Conversation.id)
            .where(_begun(Conversation.created_at, spans), _sites(operator, site), _said_something())
            .group_by(span.c.number)
        )
        found = {number: Talks(*counts) for number, *counts in await self.session.execute(counted)}
        return [found.get(number, Talks()) for number in range(len(spans))]

    async def first_text(
        self, operator: Staff, spans: Sequence[Span], *, site: str | None = None
    ) -> list[Times | None]:
        """How long customers waited who posted in each of the spans; None where nobody got a reply."""
        span = _numbered(spans)
        ranked = (
            select(
                span.c.number,
                Turn.ttfv_ms.label("ms"),
                func.row_number().over(partition_by=span.c.number, order_by=Turn.ttfv_ms).label("rank"),
                func.count().over(partition_by=span.c.number).label("count"),
            )
            .select_from(span)
            .join(Turn, _within(Turn.created_at, span))
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(_begun(Turn.created_at, spans), _sites(operator, site))
            .where(Turn.state == TurnState.DONE, Turn.ttfv_ms.is_not(None))
            .subquery()
        )
        percentiles = select(
            ranked.c.number, func.max(ranked.c.count), _nearest_rank(ranked, 50), _nearest_rank(ranked, 95)
        ).group_by(ranked.c.number)
        found = {number: Times(*times) for number, *times in await self.session.execute(percentiles)}
        return [found.get(number) for number in range(len(spans))]

    async def replies(self, operator: Staff, span: Span, *, site: str | None = None) -> Replies:
        """How many replies there were, and how many of their prompts' tokens came from a cache."""
        done = Turn.state == TurnState.DONE
        known = and_(done, Turn.prompt_tokens.is_not(None), Turn.cached_tokens.is_not(None))
        counted = (
            select(
                _sum(done),
                _sum(Turn.state == TurnState.FAILED),
                func.coalesce(func.sum(case((known, Turn.prompt_tokens), else_=0)), 0),
                func.coalesce(func.sum(case((known, Turn.cached_tokens), else_=0)), 0),
            )
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(_begun(Turn.created_at, [span]), _sites(operator, site))
        )
        return Replies(*(await self.session.execute(counted)).one())

    async def templates(self, operator: Staff, span: Span, *, site: str | None = None) -> list[TemplateReplies]:
        """The templates that replies were made of, the one with most replies first."""
        counted = (
            select(
                Conversation.site_key,
                Turn.template,
                func.count(),
                _sum(Feedback.value == FeedbackValue.UP),
                _sum(Feedback.value == FeedbackValue.DOWN),
            )
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .outerjoin(Feedback, Feedback.message_id == Turn.reply_message_id)
            .where(_begun(Turn.created_at, [span]), _sites(operator, site))
            .where(Turn.state == TurnState.DONE, Turn.template.is_not(None))
            .group_by(Conversation.site_key, Turn.template)
            .order_by(func.count().desc(), Conversation.site_key, Turn.template)
        )
        return [TemplateReplies(*row) for row in await self.session.execute(counted)]


def _numbered(spans: Sequence[Span]) -> CTE:
    """The spans as rows, so that the database sorts moments into them."""
    shape = values(column("number", Integer), column("begins", Moment), column("ends", Moment), name="span")
    return shape.data([(number, span.begins, span.ends) for number, span in enumerate(spans)]).cte("span")


def _within(moment: ColumnElement[datetime], span: CTE) -> ColumnElement[bool]:
    return and_(moment >= span.c.begins, moment < span.c.ends)


def _begun(moment: ColumnElement[datetime], spans: Sequence[Span]) -> ColumnElement[bool]:
    """In the whole period; with the spans' own bounds it is said twice, for whoever plans the query."""
    return and_(moment >= spans[0].begins, moment < spans[-1].ends)


def _sites(operator: Staff, site: str | None) -> ColumnElement[bool]:
    if Scope.OPERATOR not in operator.scopes:
        return false()
    theirs = true() if operator.sites is None else Conversation.site_key.in_(operator.sites)
    return theirs if site is None else and_(theirs, Conversation.site_key == site)


def _said_something() -> ColumnElement[bool]:
    return exists().where(Message.conversation_id == Conversation.id, Message.role == Role.CUSTOMER)


def _handed_off() -> ColumnElement[bool]:
    return exists().where(Event.conversation_id == Conversation.id, Event.kind == EventKind.HANDOFF)


def _resolved(handed_off: ColumnElement[bool]) -> ColumnElement[bool]:
    failed = exists().where(Turn.conversation_id == Conversation.id, Turn.state == TurnState.FAILED)
    not_bad = or_(Rating.score.is_(None), Rating.score > BAD)
    return or_(func.coalesce(Rating.score >= GOOD, false()), and_(not_bad, ~handed_off, ~failed))


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows fulfil it."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _nearest_rank(ranked: Subquery, percent: int) -> ColumnElement[float]:
    """The smallest value that at least so many percent of the values do not exceed."""
    rank = (ranked.c.count * percent + 99) // 100
    return func.max(case((ranked.c.rank == rank, ranked.c.ms)))
