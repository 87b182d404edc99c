"""Pins: which replica holds a conversation's prefix."""

from collections.abc import Sequence

from sqlalchemy import func, select, update

from sessions.columns import clock
from sessions.models import Conversation
from sessions.pin import Pin
from sessions.repository.part import Part
from sessions.vocabulary import ConversationState


class Pins(Part):
    async def set_pin(self, conversation_id: str, pin: Pin | None, expected_version: int) -> bool:
        """Compare and set: False, and nothing changed, when somebody changed the pin since `expected_version`.

        The version grows by one; `pin.at` is not read, it becomes the database's present.
        """
        changed = await self.session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, Conversation.pin_version == expected_version)
            .values(
                pin_replica=pin and pin.replica,
                pin_boot_id=pin and pin.boot_id,
                pin_cached_tokens=pin.cached_tokens if pin else 0,
                pin_at=clock() if pin else None,
                pin_brand=pin and pin.brand,
                pin_misses=pin.misses if pin else 0,
                pin_moved=pin and pin.moved,
                pin_version=expected_version + 1,
            )
            .execution_options(synchronize_session=False)
        )
        return changed.rowcount == 1

    async def pinned_to(self, replica: str, *, limit: int = 100) -> Sequence[Conversation]:
        """Conversations that go on and are pinned to the replica, those that spoke last first."""
        wanted = (
            select(Conversation)
            .where(Conversation.pin_replica == replica, Conversation.state != ConversationState.CLOSED)
            .order_by(Conversation.pin_at.desc(), Conversation.id)
            .limit(limit)
        )
        return (await self.session.scalars(wanted)).all()

    async def pins_by_replica(self) -> dict[str, int]:
        """How many conversations that are not closed are pinned to each replica."""
        counted = (
            select(Conversation.pin_replica, func.count())
            .where(Conversation.pin_replica.is_not(None), Conversation.state != ConversationState.CLOSED)
            .group_by(Conversation.pin_replica)
        )
        return dict((await self.session.execute(counted)).all())
