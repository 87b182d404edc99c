"""`repo.outcomes`: how the conversations of a pack version went."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from sessions.models import Conversation, Event, Feedback, Message, Suggestion, Turn
from sessions.repository.part import Part
from sessions.vocabulary import EventKind, FeedbackValue, SuggestionOutcome, TurnState

MOST_REPLIES = 100_000
"""How many of the newest replies are timed: enough for any percentile that a person compares."""


@dataclass(frozen=True)
class Outcome:
    """Counts and times of one version. `handed_off` counts conversations that a human was called into.

    `accepted` counts suggestions that agents said as they were, `decided` all of which something became.
    `reply_ms` are the times to the whole reply, `first_text_ms` those to the first visible text.
    """

    conversations: int
    handed_off: int
    replies: int
    failed: int
    up: int
    down: int
    accepted: int
    decided: int
    reply_ms: tuple[float, ...]
    first_text_ms: tuple[float, ...]


class Outcomes(Part):
    async def of(self, pack: str, version: str) -> Outcome:
        """What happened in the conversations that began with this version; all zero for an unknown one."""
        began = (Conversation.pack == pack) & (Conversation.pack_version == version)
        states = await self._by(Turn.state, began)
        votes = await self._votes(began)
        timed = await self._timed(began)
        suggested = await self._suggested(pack, version)
        return Outcome(
            conversations=await self.session.scalar(select(func.count()).select_from(Conversation).where(began)) or 0,
            handed_off=await self._handed_off(began),
            replies=states.get(TurnState.DONE, 0),
            failed=states.get(TurnState.FAILED, 0),
            up=votes.get(FeedbackValue.UP, 0),
            down=votes.get(FeedbackValue.DOWN, 0),
            accepted=suggested.get(SuggestionOutcome.ACCEPTED, 0),
            decided=sum(suggested.get(each, 0) for each in SuggestionOutcome if each != SuggestionOutcome.WITHDRAWN),
            reply_ms=tuple(total for total, _ in timed if total is not None),
            first_text_ms=tuple(first for _, first in timed if first is not None),
        )

    async def _by(self, column: ColumnElement[str], began: ColumnElement[bool]) -> dict[str, int]:
        counted = select(column, func.count()).join(Conversation, Conversation.id == Turn.conversation_id)
        return dict((await self.session.execute(counted.where(began).group_by(column))).all())

    async def _votes(self, began: ColumnElement[bool]) -> dict[str, int]:
        counted = (
            select(Feedback.value, func.count())
            .join(Message, Message.id == Feedback.message_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(began)
            .group_by(Feedback.value)
        )
        return dict((await self.session.execute(counted)).all())

    async def _suggested(self, pack: str, version: str) -> dict[str | None, int]:
        counted = (
            select(Suggestion.outcome, func.count())
            .where(Suggestion.pack == pack, Suggestion.pack_version == version)
            .group_by(Suggestion.outcome)
        )
        return dict((await self.session.execute(counted)).all())

    async def _handed_off(self, began: ColumnElement[bool]) -> int:
        counted = (
            select(func.count(Event.conversation_id.distinct()))
            .join(Conversation, Conversation.id == Event.conversation_id)
            .where(began, Event.kind == EventKind.HANDOFF)
        )
        return await self.session.scalar(counted) or 0

    async def _timed(self, began: ColumnElement[bool]) -> list[tuple[float | None, float | None]]:
        wanted = (
            select(Turn.total_ms, Turn.ttfv_ms)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(began, Turn.state == TurnState.DONE)
            .order_by(Turn.created_at.desc())
            .limit(MOST_REPLIES)
        )
        return [(total, first) for total, first in await self.session.execute(wanted)]
