"""`repo.messages`: the transcript."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from sessions.columns import within_range
from sessions.errors import NotFound
from sessions.models import Feedback, Message, Turn
from sessions.principal import Customer, Principal
from sessions.repository.part import Part
from sessions.vocabulary import FeedbackValue, Role


@dataclass(frozen=True)
class MessageDetails:
    """A message as the staff sees it; `turn` is how an assistant's message was made, None for other roles."""

    message: Message
    turn: Turn | None


class Messages(Part):
    async def list(
        self, principal: Principal, conversation_id: str, *, after: int = 0, limit: int = 100
    ) -> Sequence[Message]:
        """Messages with a seq over `after`, in order; notes only for the staff. Raises NotFound."""
        await self.log.seen(principal, conversation_id)
        wanted = select(Message).where(Message.conversation_id == conversation_id, Message.seq > within_range(after))
        if isinstance(principal, Customer):
            wanted = wanted.where(Message.staff.is_(False))
        return (await self.session.scalars(wanted.order_by(Message.seq).limit(limit))).all()

    async def details(self, principal: Principal, conversation_id: str) -> Sequence[MessageDetails]:
        """The whole transcript with the making of each reply. Raises NotFound, for customers too."""
        if isinstance(principal, Customer):
            raise NotFound("no such call for customers")
        await self.log.seen(principal, conversation_id)
        replied = and_(Turn.id == Message.turn_id, Message.role == Role.ASSISTANT)
        rows = await self.session.execute(
            select(Message, Turn)
            .outerjoin(Turn, replied)
            .where(Message.conversation_id == conversation_id)
            .order_by(Message.seq)
        )
        return [MessageDetails(message, turn) for message, turn in rows]

    async def last_words(self, conversation_ids: Sequence[str]) -> dict[str, str]:
        """What the customer of each of these conversations said last; for whoever has been shown the conversations."""
        newest = (
            select(Message.conversation_id, func.max(Message.seq).label("seq"))
            .where(Message.conversation_id.in_(conversation_ids), Message.role == Role.CUSTOMER)
            .group_by(Message.conversation_id)
            .subquery()
        )
        on = and_(Message.conversation_id == newest.c.conversation_id, Message.seq == newest.c.seq)
        rows = await self.session.execute(select(Message.conversation_id, Message.content).join(newest, on))
        return dict(rows.all())

    async def votes(self, principal: Principal, conversation_id: str) -> dict[str, FeedbackValue]:
        """The customer's thumbs by message id. Raises NotFound."""
        await self.log.seen(principal, conversation_id)
        rows = await self.session.execute(
            select(Feedback.message_id, Feedback.value)
            .join(Message, Message.id == Feedback.message_id)
            .where(Message.conversation_id == conversation_id)
        )
        return {message_id: FeedbackValue(value) for message_id, value in rows}
