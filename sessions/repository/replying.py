"""What the owner of a running turn writes. Every call is fenced: LostLease means that nothing was written."""

from collections.abc import Sequence

from sqlalchemy import select

from sessions.claim import Annotation, Claim, Delta, Reply
from sessions.columns import now
from sessions.errors import LostLease
from sessions.models import Conversation, Message, Turn
from sessions.repository.annotated import annotated
from sessions.repository.claiming import held_by
from sessions.repository.endings import end_turn
from sessions.repository.handoff import hand_to
from sessions.repository.lines import new_line
from sessions.repository.part import Part
from sessions.vocabulary import Action, Away, ConversationState, EventKind, Role, TurnState


class Replying(Part):
    async def append_deltas(self, deltas: Sequence[Delta]) -> list[Delta]:
        """Show more text of running replies. Returns those that were refused: not the owner's attempt any more."""
        conversations = await self.log.lock_all([delta.conversation_id for delta in deltas])
        holders = await self._holders([delta.turn_id for delta in deltas])
        fenced = []
        for delta in deltas:
            if holders.get(delta.turn_id) != (delta.attempt, delta.owner):
                fenced.append(delta)
                continue
            payload = {"turn_id": delta.turn_id, "attempt": delta.attempt, "text": delta.text}
            conversation = conversations[delta.conversation_id]
            self.log.append(conversation, EventKind.REPLY_DELTA, payload, turn_id=delta.turn_id)
        return fenced

    async def reset(self, claim: Claim) -> None:
        """What was shown of the turn no longer holds; the text begins anew. Raises LostLease."""
        conversation, turn = await self._held(claim)
        await self.log.drop_deltas(conversation.id, turn.id)
        payload = {"turn_id": turn.id, "attempt": claim.attempt}
        self.log.append(conversation, EventKind.REPLY_RESET, payload, turn_id=turn.id)

    async def finish_reply(self, claim: Claim, reply: Reply, away: Away | None = None) -> Message:
        """The customer's reply is whole. The turn goes on running until it is annotated. Raises LostLease.

        A reply that hands off leaves the conversation waiting for a human; `away` says that none is there.
        """
        conversation, turn = await self._held(claim)
        if turn.reply_message_id is not None:
            raise LostLease(claim.turn_id)
        message = new_line(
            conversation,
            Role.ASSISTANT,
            reply.text,
            prompt_text=reply.prompt_text,
            turn_id=turn.id,
            quick_replies=reply.quick_replies,
        )
        _keep_reply(turn, message, reply)
        await self.log.drop_deltas(conversation.id, turn.id)
        self.log.append(conversation, EventKind.REPLY_DONE, {"turn_id": turn.id}, turn_id=turn.id, message=message)
        if reply.action == Action.HANDOFF and conversation.state == ConversationState.BOT:
            hand_to(self.log, conversation, ConversationState.WAITING, away=away)
        return message

    async def annotate(self, claim: Claim, annotation: Annotation) -> None:
        """End a turn whose reply is done, with what the engine wrote for the staff. Raises LostLease."""
        conversation, turn = await self._held(claim)
        if turn.reply_message_id is None:
            raise LostLease(claim.turn_id)
        _keep_annotation(turn, annotation)
        if annotation.prompt_text is not None:
            message = await self.session.get_one(Message, turn.reply_message_id)
            message.prompt_text = annotation.prompt_text
        conversation.demand = annotation.demand or conversation.demand
        conversation.sentiment = annotation.sentiment or conversation.sentiment
        turn.state, turn.finished_at, turn.lease_until = TurnState.DONE, now(), None
        annotated(self.log, conversation, turn)

    async def fail(
        self, claim: Claim, code: str, notice: str | None = None, quick_replies: list[str] | None = None
    ) -> TurnState:
        """End a turn without a reply, and tell the customer in the words of `notice`. Raises LostLease.

        A turn whose reply is done stays answered. Returns the turn's state.
        """
        conversation, turn = await self._held(claim)
        if turn.reply_message_id is not None:
            return await self._settled(claim)
        turn.error_code = code
        await end_turn(self.log, conversation, turn, TurnState.FAILED, EventKind.TURN_FAILED, {"code": code})
        if notice is not None:
            line = new_line(conversation, Role.SYSTEM, notice, turn_id=turn.id, quick_replies=quick_replies)
            self.log.append(conversation, EventKind.MESSAGE, {}, turn_id=turn.id, message=line)
        return TurnState.FAILED

    async def stopped(self, claim: Claim) -> TurnState:
        """End a turn that its customer stopped. Raises LostLease.

        A turn whose reply is done stays answered. Returns the turn's state.
        """
        conversation, turn = await self._held(claim)
        if turn.reply_message_id is not None:
            return await self._settled(claim)
        await end_turn(self.log, conversation, turn, TurnState.STOPPED, EventKind.TURN_STOPPED, {})
        return TurnState.STOPPED

    async def _settled(self, claim: Claim) -> TurnState:
        await self.annotate(claim, Annotation())
        return TurnState.DONE

    async def _held(self, claim: Claim) -> tuple[Conversation, Turn]:
        conversation = await self.log.lock(claim.conversation_id)
        turn = await self.session.scalar(
            select(Turn).where(held_by(claim)).with_for_update().execution_options(populate_existing=True)
        )
        if conversation is None or turn is None:
            raise LostLease(claim.turn_id)
        return conversation, turn

    async def _holders(self, turn_ids: list[str]) -> dict[str, tuple[int, str | None]]:
        """(attempt, owner) by id of those turns that still wait for their reply, locked in the order of their ids."""
        running = (
            select(Turn.id, Turn.attempt, Turn.owner)
            .where(Turn.id.in_(turn_ids), Turn.state == TurnState.RUNNING, Turn.reply_message_id.is_(None))
            .order_by(Turn.id)
            .with_for_update()
        )
        return {turn_id: (attempt, owner) for turn_id, attempt, owner in await self.session.execute(running)}


def _keep_reply(turn: Turn, message: Message, reply: Reply) -> None:
    turn.reply_message_id = message.id
    turn.action, turn.template, turn.slots, turn.lookup = reply.action, reply.template, reply.slots, reply.lookup
    turn.ttfv_ms, turn.total_ms = reply.ttfv_ms, reply.total_ms


def _keep_annotation(turn: Turn, annotation: Annotation) -> None:
    turn.demand, turn.sentiment = annotation.demand, annotation.sentiment
    turn.action_reason = annotation.action_reason
    turn.prompt_tokens, turn.cached_tokens = annotation.prompt_tokens, annotation.cached_tokens
    turn.completion_tokens = annotation.completion_tokens
    if annotation.total_ms is not None:
        turn.total_ms = annotation.total_ms
