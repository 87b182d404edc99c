"""Who answers a conversation, and what people say in it besides turns."""

from dataclasses import dataclass

from sqlalchemy import select

from sessions.columns import now
from sessions.errors import Conflict, NotFound
from sessions.models import Conversation, Event, Feedback, Message, Rating, Turn
from sessions.principal import Customer, Principal
from sessions.repository.endings import stop_unanswered
from sessions.repository.handoff import hand_to
from sessions.repository.lines import new_line
from sessions.repository.part import Part
from sessions.vocabulary import Away, ConversationState, EventKind, FeedbackValue, Role, WebhookKind


@dataclass(frozen=True)
class Thumbs:
    """What a customer thought of a reply. `is_news` tells a first or other thumb from the same one once more."""

    value: FeedbackValue
    site_key: str
    template: str | None
    is_news: bool


class Desk(Part):
    async def request_handoff(
        self, principal: Principal, conversation_id: str, away: Away | None = None
    ) -> Conversation:
        """Ask for a human; asking again changes nothing. `away` says that nobody is there.

        Raises NotFound, Conflict `conversation_closed`.
        """
        conversation = await self._going_on(principal, conversation_id)
        if conversation.state == ConversationState.BOT:
            hand_to(self.log, conversation, ConversationState.WAITING, away=away)
        return conversation

    async def offer_handoff(
        self, principal: Principal, conversation_id: str, text: str, quick_replies: list[str]
    ) -> bool:
        """The bot offers a human, once in a conversation; False when it has, or when one was called already.

        Raises NotFound.
        """
        conversation = await self.log.locked(principal, conversation_id)
        if conversation.state != ConversationState.BOT or conversation.offered_at is not None:
            return False
        conversation.offered_at = now()
        line = new_line(conversation, Role.SYSTEM, text, quick_replies=quick_replies)
        self.log.append(conversation, EventKind.MESSAGE, {}, message=line)
        return True

    async def leave(
        self, principal: Principal, conversation_id: str, text: str, prompt_text: str, contact: str | None
    ) -> Message:
        """A customer's message for the humans: the bot does not answer it. The conversation waits for an agent.

        Raises NotFound, Conflict `conversation_closed`.
        """
        conversation = await self._going_on(principal, conversation_id)
        line = new_line(conversation, Role.CUSTOMER, text, prompt_text=prompt_text)
        self.log.append(conversation, EventKind.MESSAGE, {}, message=line)
        conversation.contact = contact or conversation.contact
        if conversation.state == ConversationState.BOT:
            hand_to(self.log, conversation, ConversationState.WAITING)
        return line

    async def takeover(self, principal: Principal, conversation_id: str, agent: str) -> Conversation:
        """The bot goes silent, in mid-reply too; of several agents one wins.

        Raises NotFound (for customers, too), Conflict `conversation_closed` or `already_taken`.
        """
        conversation = await self._going_on(_not_customer(principal), conversation_id)
        if conversation.state != ConversationState.AGENT:
            await stop_unanswered(self.log, conversation, "agent")
            hand_to(self.log, conversation, ConversationState.AGENT, agent)
        elif conversation.agent != agent:
            raise Conflict("already_taken", "Another agent has this conversation.")
        return conversation

    async def handback(self, principal: Principal, conversation_id: str, note: str | None = None) -> Conversation:
        """The bot answers again and reads `note`, which no customer sees.

        Raises NotFound (for customers, too), Conflict `conversation_closed` or `not_taken`.
        """
        conversation = await self._going_on(_not_customer(principal), conversation_id)
        if conversation.state != ConversationState.AGENT:
            raise Conflict("not_taken", "No agent has this conversation.")
        if note:
            message = new_line(conversation, Role.AGENT, note, prompt_text=note, staff=True)
            self.log.append(conversation, EventKind.NOTE, {}, staff=True, message=message)
        hand_to(self.log, conversation, ConversationState.BOT)
        return conversation

    async def close(self, principal: Principal, conversation_id: str) -> Conversation:
        """End the conversation and what is being answered in it; closing again changes nothing. Raises NotFound."""
        conversation = await self.log.locked(principal, conversation_id)
        if conversation.state != ConversationState.CLOSED:
            await stop_unanswered(self.log, conversation, "closed")
            conversation.state, conversation.closed_at = ConversationState.CLOSED, now()
            conversation.waiting_since = None
            self.log.append(conversation, EventKind.CONVERSATION_CLOSED, {})
        return conversation

    async def await_message(self, principal: Principal, conversation_id: str) -> None:
        """The customer's next message is one for the humans. Raises NotFound, Conflict `conversation_closed`."""
        (await self._going_on(principal, conversation_id)).leaving = True

    async def message_left(self, principal: Principal, conversation_id: str, contact: str | None) -> None:
        """The message for the humans has come; `contact` is how to reach the customer. Raises NotFound, Conflict."""
        conversation = await self._going_on(principal, conversation_id)
        conversation.leaving, conversation.contact = False, contact or conversation.contact

    async def say(
        self, principal: Principal, conversation_id: str, role: Role, text: str, quick_replies: list[str] | None = None
    ) -> Message:
        """A line of an agent, which the engine will read, or a notice (role system), which it will not.

        Raises NotFound (for customers, too), Conflict `conversation_closed`.
        """
        conversation = await self._going_on(_not_customer(principal), conversation_id)
        message = new_line(
            conversation, role, text, prompt_text=text if role == Role.AGENT else None, quick_replies=quick_replies
        )
        self.log.append(conversation, EventKind.MESSAGE, {}, message=message)
        return message

    async def typing(self, principal: Principal, conversation_id: str, role: Role) -> None:
        """Somebody is writing; only a role's last such event is kept. Raises NotFound, Conflict."""
        conversation = await self._going_on(principal, conversation_id)
        before = select(Event).where(Event.conversation_id == conversation_id, Event.kind == EventKind.TYPING)
        for event in (await self.session.scalars(before)).all():
            if event.payload["role"] == role:
                await self.session.delete(event)
        self.log.append(conversation, EventKind.TYPING, {"role": role})

    async def rate(self, principal: Principal, conversation_id: str, score: int, comment: str | None = None) -> Rating:
        """The customer's verdict, 1 to 5; a later one replaces it. Raises NotFound."""
        conversation = await self.log.locked(principal, conversation_id)
        self.log.touch(conversation, listed=True)
        self.tx.announce(conversation, WebhookKind.CONVERSATION_RATED, {"score": score, "comment": comment})
        return await self.session.merge(Rating(conversation_id=conversation_id, score=score, comment=comment))

    async def rating(self, principal: Principal, conversation_id: str) -> Rating | None:
        """The customer's verdict so far. Raises NotFound."""
        await self.log.seen(principal, conversation_id)
        return await self.session.get(Rating, conversation_id)

    async def feedback(self, principal: Principal, message_id: str, value: FeedbackValue) -> Thumbs:
        """Thumbs for an assistant's message; later ones replace them. Raises NotFound."""
        message = await self.session.get(Message, message_id)
        if message is None or message.role != Role.ASSISTANT:
            raise NotFound("no such message")
        conversation = await self.log.locked(principal, message.conversation_id)
        before = await self.session.get(Feedback, message_id)
        is_news = before is None or before.value != value
        await self.session.merge(Feedback(message_id=message_id, value=value))
        template = await self.session.scalar(select(Turn.template).where(Turn.id == message.turn_id))
        return Thumbs(FeedbackValue(value), conversation.site_key, template, is_news)

    async def _going_on(self, principal: Principal, conversation_id: str) -> Conversation:
        conversation = await self.log.locked(principal, conversation_id)
        if conversation.state == ConversationState.CLOSED:
            raise Conflict("conversation_closed", "The conversation is closed.")
        return conversation


def _not_customer(principal: Principal) -> Principal:
    if isinstance(principal, Customer):
        raise NotFound("no such call for customers")
    return principal
