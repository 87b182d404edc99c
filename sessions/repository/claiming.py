"""Which turns are answered next, and by whom: leases by the database's clock, fenced by the attempt's number."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import aliased

from sessions.claim import Claim
from sessions.columns import clock, now
from sessions.errors import LostLease
from sessions.models import Conversation, Event, Turn
from sessions.repository.annotated import annotated
from sessions.repository.part import Part
from sessions.vocabulary import OPEN_TURN_STATES, EventKind, TurnState

_AT_ONCE = 20
STAFF_PART = timedelta(minutes=5)
"""A turn ends this much later than its reply at most: what changes meanwhile, no list of conversations shows."""


class Claiming(Part):
    async def claim(self, owner: str, lease_s: float) -> Claim | None:
        """Take the oldest turn that nobody answers: queued, or left by an owner whose lease is over.

        A conversation's turns are taken in their order, one at a time. None when there is nothing to do.
        """
        await self._settle_replied()
        turn = await self.session.scalar(_next_turn())
        if turn is None:
            return None
        conversation = await self.session.get_one(Conversation, turn.conversation_id, populate_existing=True)
        turn.state, turn.owner, turn.attempt = TurnState.RUNNING, owner, turn.attempt + 1
        turn.lease_until = clock() + lease_s
        if turn.prompt_seq is None:
            turn.prompt_seq = conversation.last_seq
        await self.session.flush()
        return await self._claim(conversation, turn)

    async def waiting(self) -> int:
        """How many accepted turns nobody has claimed."""
        return await self.session.scalar(select(func.count()).where(_open(), Turn.state == TurnState.QUEUED)) or 0

    async def ended_between(self, since: datetime, until: datetime) -> list[Turn]:
        """The turns that ended in [since, until)."""
        # By the conversation's last change, which has an index: it is as late as the end of any of its turns.
        lately = Conversation.updated_at >= since - STAFF_PART
        ended = and_(Turn.finished_at >= since, Turn.finished_at < until)
        found = select(Turn).join(Conversation, Conversation.id == Turn.conversation_id).where(lately, ended)
        return list((await self.session.scalars(found)).all())

    async def renew(self, claim: Claim, lease_s: float) -> bool:
        """Keep the lease for another `lease_s`; True when the customer wants the turn stopped. Raises LostLease."""
        stop_requested = await self.session.scalar(
            update(Turn).where(held_by(claim)).values(lease_until=clock() + lease_s).returning(Turn.stop_requested)
        )
        if stop_requested is None:
            raise LostLease(claim.turn_id)
        return stop_requested

    async def renew_all(self, owner: str, lease_s: float) -> dict[str, bool]:
        """Keep the leases of all turns of an owner: {turn id: whether it is to be stopped}. Others are lost."""
        mine = and_(Turn.state == TurnState.RUNNING, Turn.owner == owner)
        ids = (await self.session.scalars(select(Turn.id).where(_open(), mine))).all()
        locked = select(Turn.id).where(Turn.id.in_(ids), mine).order_by(Turn.id).with_for_update()
        kept = await self.session.execute(
            update(Turn)
            .where(Turn.id.in_(locked))
            .values(lease_until=clock() + lease_s)
            .returning(Turn.id, Turn.stop_requested)
            .execution_options(synchronize_session=False)
        )
        return dict(kept.all())

    async def next_attempt(self, claim: Claim) -> Claim:
        """Begin another attempt at the same turn; what the last one still writes is refused. Raises LostLease."""
        await self._change(claim, attempt=claim.attempt + 1)
        return replace(claim, attempt=claim.attempt + 1, attempts=claim.attempts + 1)

    async def note_attempt(
        self, claim: Claim, *, replica: str | None, placement: str | None, trace_id: str | None = None
    ) -> None:
        """Keep where the attempt went, and why, and under which trace. Raises LostLease."""
        known = {} if trace_id is None else {"trace_id": trace_id}
        await self._change(claim, replica=replica, placement=placement, **known)

    async def release(self, claim: Claim) -> None:
        """Give a turn back to the queue, as if this attempt had never been made. Raises LostLease.

        What the customer has read of it stays, for the next owner to continue. A turn whose reply is done needs no
        owner: it is left to end with its lease.
        """
        unanswered = and_(held_by(claim), Turn.reply_message_id.is_(None))
        queued = {"state": TurnState.QUEUED, "owner": None, "lease_until": None}
        released = await self.session.execute(
            update(Turn).where(unanswered).values(**queued, attempts_before=Turn.attempts_before + 1)
        )
        if released.rowcount == 0:
            raise LostLease(claim.turn_id)
        self.tx.touch(claim.conversation_id, listed=True)

    async def _change(self, claim: Claim, **values: object) -> None:
        changed = await self.session.execute(update(Turn).where(held_by(claim)).values(**values))
        if changed.rowcount == 0:
            raise LostLease(claim.turn_id)

    async def _settle_replied(self) -> None:
        """End turns whose owner died between the reply and its annotation: the reply stands."""
        for conversation_id, turn_id in sorted((await self.session.execute(_replied_and_left())).all()):
            conversation = await self.log.lock(conversation_id)
            turn = await self.session.scalar(_replied_and_left(turn_id).with_only_columns(Turn).with_for_update())
            if conversation is None or turn is None:
                continue
            turn.state, turn.finished_at, turn.lease_until = TurnState.DONE, now(), None
            annotated(self.log, conversation, turn)
            self.tx.ended.append(turn)

    async def _claim(self, conversation: Conversation, turn: Turn) -> Claim:
        asked = await self.log.asked(turn)
        return Claim(
            turn_id=turn.id,
            conversation_id=conversation.id,
            site_key=conversation.site_key,
            owner=turn.owner,
            attempt=turn.attempt,
            attempts=turn.attempts,
            seq=turn.seq,
            prompt_seq=turn.prompt_seq,
            text=asked.content,
            prompt_text=asked.prompt_text,
            shown=_joined(await self.session.scalars(_deltas(turn))),
            locale=conversation.locale,
            pack=conversation.pack,
            pack_version=conversation.pack_version,
            pin=conversation.pin,
            pin_version=conversation.pin_version,
            traceparent=turn.traceparent,
            trace_id=turn.trace_id,
            stop_requested=turn.stop_requested,
            created_at=turn.created_at,
        )


def held_by(claim: Claim) -> ColumnElement[bool]:
    """The fence: true of the turn as long as nobody made a later attempt and it has not ended."""
    return and_(
        Turn.id == claim.turn_id,
        Turn.attempt == claim.attempt,
        Turn.owner == claim.owner,
        Turn.state == TurnState.RUNNING,
    )


def _open() -> ColumnElement[bool]:
    """Queued or running, written out: only so does SQLite see that the small index of open turns will do."""
    return Turn.state.in_(bindparam("open_states", OPEN_TURN_STATES, expanding=True, literal_execute=True))


def _left() -> ColumnElement[bool]:
    return and_(_open(), Turn.state == TurnState.RUNNING, Turn.lease_until < clock())


def _next_turn() -> Select[tuple[Turn]]:
    earlier = aliased(Turn)
    first = ~(
        select(earlier.id)
        .where(
            earlier.conversation_id == Turn.conversation_id,
            earlier.seq < Turn.seq,
            earlier.state.in_(OPEN_TURN_STATES),
        )
        .exists()
    )
    return (
        select(Turn)
        .where(_open(), or_(Turn.state == TurnState.QUEUED, _left()), Turn.reply_message_id.is_(None), first)
        .order_by(Turn.created_at, Turn.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Turn)
        .execution_options(populate_existing=True)
    )


def _replied_and_left(turn_id: str | None = None) -> Select[tuple[str, str]]:
    wanted = select(Turn.conversation_id, Turn.id).where(_left(), Turn.reply_message_id.is_not(None))
    return wanted.limit(_AT_ONCE) if turn_id is None else wanted.where(Turn.id == turn_id)


def _deltas(turn: Turn) -> Select[tuple[dict[str, str]]]:
    return (
        select(Event.payload)
        .where(
            Event.conversation_id == turn.conversation_id,
            Event.turn_id == turn.id,
            Event.kind == EventKind.REPLY_DELTA,
        )
        .order_by(Event.seq)
    )


def _joined(payloads: Sequence[dict[str, str]]) -> str:
    return "".join(payload["text"] for payload in payloads)
