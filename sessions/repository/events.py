"""`repo.events`: the log as it is read."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select

from sessions.columns import within_range
from sessions.models import Conversation, Event
from sessions.principal import Customer, Principal, Server
from sessions.repository.opening import visible_to
from sessions.repository.part import Part


class Events(Part):
    async def list(
        self, principal: Principal, conversation_id: str, *, after: int = 0, limit: int = 200
    ) -> Sequence[Event]:
        """Events with a seq over `after`, in order; the staff's only for the staff. Raises NotFound."""
        events, _ = await self.page(principal, conversation_id, after=after, limit=limit)
        return events

    async def page(
        self, principal: Principal, conversation_id: str, *, after: int, limit: int
    ) -> tuple[Sequence[Event], int]:
        """As `list`, with the seq up to which the log has been read: beyond the events if the rest is hidden."""
        conversation = await self.log.seen(principal, conversation_id)
        wanted = select(Event).where(Event.conversation_id == conversation_id, Event.seq > within_range(after))
        if isinstance(principal, Customer):
            wanted = wanted.where(Event.staff.is_(False))
        events = (await self.session.scalars(wanted.order_by(Event.seq).limit(limit))).all()
        return events, events[-1].seq if len(events) == limit else max(after, conversation.last_seq)

    async def last_seqs(self, conversation_ids: Sequence[str]) -> dict[str, int]:
        """The newest seq of each of these conversations; those that are gone are missing."""
        wanted = select(Conversation.id, Conversation.last_seq).where(Conversation.id.in_(conversation_ids))
        return dict((await self.session.execute(wanted)).all())

    async def listed_at(self, principal: Principal, conversation_ids: Sequence[str]) -> dict[str, datetime]:
        """When the list entries of those of the conversations changed that the principal sees, oldest first."""
        wanted = visible_to(principal).where(Conversation.id.in_(conversation_ids))
        return await self._listed(wanted)

    async def listed_since(self, moment: datetime) -> dict[str, datetime]:
        """The conversations whose list entry changed since `moment`, and when; for whoever sees everything."""
        return await self._listed(visible_to(Server()).where(Conversation.updated_at >= moment))

    async def _listed(self, wanted: Select[tuple[Conversation]]) -> dict[str, datetime]:
        columns = wanted.with_only_columns(Conversation.id, Conversation.updated_at)
        return dict((await self.session.execute(columns.order_by(Conversation.updated_at))).all())
