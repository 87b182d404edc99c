"""What a conversation leaves behind: given out whole, or taken away without a trace."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from sessions.models import (
    Base,
    Conversation,
    Event,
    Feedback,
    Fold,
    Message,
    Rating,
    Suggestion,
    Turn,
    WebhookDelivery,
)
from sessions.principal import Person, Principal
from sessions.repository.part import Part
from sessions.repository.persons import Persons

_AT_ONCE = 500


class Records(Part):
    async def export(self, principal: Principal, conversation_id: str) -> dict[str, Any]:
        """Everything held of the conversation, as JSON: every column of every row but hashes. Raises NotFound."""
        conversation = await self.log.seen(principal, conversation_id)
        messages = await self._rows(Message, conversation_id, Message.seq)
        feedback = await self.session.scalars(
            select(Feedback).where(Feedback.message_id.in_([message.id for message in messages]))
        )
        rating, fold = [await self.session.get(kind, conversation_id) for kind in (Rating, Fold)]
        return {
            "conversation": conversation.model_dump(mode="json", exclude={"token_hash"}),
            "messages": _dumped(messages),
            "turns": _dumped(await self._rows(Turn, conversation_id, Turn.seq)),
            "events": _dumped(await self._rows(Event, conversation_id, Event.seq)),
            "deliveries": _dumped(await self._rows(WebhookDelivery, conversation_id, WebhookDelivery.created_at)),
            "feedback": _dumped(feedback.all()),
            "suggestions": _dumped(await self._rows(Suggestion, conversation_id, Suggestion.created_at)),
            "rating": rating and rating.model_dump(mode="json"),
            "fold": fold and fold.model_dump(mode="json"),
        }

    async def delete(self, principal: Principal, conversation_id: str) -> None:
        """Remove the conversation and all that belongs to it. Whoever is answering it loses it. Raises NotFound.

        With a person's last conversation their sessions go, too.
        """
        conversation = await self.log.locked(principal, conversation_id)
        await self._remove([conversation.id])
        if conversation.subject is not None:
            await Persons(self.tx).forget(Person(conversation.site_key, conversation.subject))

    async def expire(self, older_than: datetime) -> int:
        """Remove conversations that did not change since `older_than`, some at a time.

        Returns how many; call again in another transaction until it is 0.
        """
        foreign = Suggestion.conversation_id.is_(None) & (Suggestion.created_at < older_than)
        await self.session.execute(delete(Suggestion).where(foreign))
        old = select(Conversation.id).where(Conversation.updated_at < older_than).order_by(Conversation.id)
        ids = (await self.session.scalars(old.limit(_AT_ONCE).with_for_update(skip_locked=True))).all()
        if ids:
            await self._remove(ids)
        return len(ids)

    async def _remove(self, ids: Sequence[str]) -> None:
        # Messages, turns, events and the rest go by the database's own cascades.
        await self.session.execute(delete(Conversation).where(Conversation.id.in_(ids)))
        for conversation_id in ids:
            self.tx.touch(conversation_id, listed=True)

    async def _rows(self, model: type[Base], conversation_id: str, order: Any) -> Sequence[Any]:
        wanted = select(model).where(model.conversation_id == conversation_id).order_by(order)
        return (await self.session.scalars(wanted)).all()


def _dumped(rows: Sequence[Base]) -> list[dict[str, Any]]:
    return [row.model_dump(mode="json", exclude={"body_hash"}) for row in rows]
