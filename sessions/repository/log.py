"""The one way in which a conversation changes: under its row's lock, with an event that takes the next seq."""

from typing import Any

from sqlalchemy import delete, select

from sessions.columns import now, without_nul
from sessions.errors import NotFound
from sessions.models import Conversation, Event, Message, Turn
from sessions.principal import Principal, sees
from sessions.repository.transaction import Transaction
from sessions.vocabulary import EventKind, WebhookKind

_UNLISTED = frozenset({EventKind.REPLY_DELTA, EventKind.REPLY_RESET, EventKind.TYPING})

_ANNOUNCED = {
    EventKind.REPLY_DONE: WebhookKind.REPLY_DONE,
    EventKind.HANDOFF: WebhookKind.CONVERSATION_HANDED_OVER,
    EventKind.CONVERSATION_CLOSED: WebhookKind.CONVERSATION_CLOSED,
}


class Log:
    """Conversations' rows and their events. Whoever needs several rows locked takes conversations first, by id."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.session = tx.session

    async def seen(self, principal: Principal, conversation_id: str) -> Conversation:
        """Raises NotFound when the conversation does not exist for the principal."""
        return _only_seen(principal, await self.session.get(Conversation, conversation_id))

    async def locked(self, principal: Principal, conversation_id: str) -> Conversation:
        """As `seen`, with the row locked until the transaction ends."""
        return _only_seen(principal, await self.lock(conversation_id))

    async def lock(self, conversation_id: str) -> Conversation | None:
        """The locked row, None when it is gone."""
        return (await self.lock_all([conversation_id])).get(conversation_id)

    async def lock_all(self, conversation_ids: list[str]) -> dict[str, Conversation]:
        """The locked rows by id, without those that are gone. Locked in the order of their ids: no deadlocks."""
        rows = await self.session.scalars(
            select(Conversation)
            .where(Conversation.id.in_(conversation_ids))
            .order_by(Conversation.id)
            .with_for_update(key_share=False)
            .execution_options(populate_existing=True)
        )
        return {row.id: row for row in rows}

    async def asked(self, turn: Turn) -> Message:
        """The customer's message of a turn: the one of the event that began it."""
        begun = (Message.conversation_id == turn.conversation_id, Message.seq == turn.seq)
        return (await self.session.scalars(select(Message).where(*begun))).one()

    def append(
        self,
        conversation: Conversation,
        kind: EventKind,
        payload: dict[str, Any],
        *,
        turn_id: str | None = None,
        staff: bool = False,
        message: Message | None = None,
    ) -> Event:
        """Write the next event of a locked conversation; a new `message` gets the event's seq and joins the payload."""
        conversation.last_seq += 1
        if message is not None:
            message.seq, message.content = conversation.last_seq, without_nul(message.content)
            self.session.add(message)
            payload = payload | {"message": message.wire()}
        event = Event(
            conversation_id=conversation.id,
            seq=conversation.last_seq,
            kind=kind,
            turn_id=turn_id,
            staff=staff,
            payload=payload,
        )
        self.session.add(event)
        self.touch(conversation, listed=kind not in _UNLISTED)
        if kind in _ANNOUNCED:
            self.tx.announce(conversation, _ANNOUNCED[kind], {"seq": event.seq} | payload)
        return event

    def touch(self, conversation: Conversation, *, listed: bool) -> None:
        if listed:
            conversation.updated_at = now()
        self.tx.touch(conversation.id, listed=listed)

    async def drop_deltas(self, conversation_id: str, turn_id: str) -> None:
        """Forget the passing text of a turn."""
        await self.session.execute(
            delete(Event).where(
                Event.conversation_id == conversation_id,
                Event.turn_id == turn_id,
                Event.kind == EventKind.REPLY_DELTA,
            )
        )


def _only_seen(principal: Principal, conversation: Conversation | None) -> Conversation:
    if conversation is None or not sees(principal, conversation.id, conversation.site_key):
        raise NotFound("no such conversation")
    return conversation
