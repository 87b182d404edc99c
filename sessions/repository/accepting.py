"""What customers do with turns: post, stop, retry."""

from sqlalchemy import select

from sessions.claim import Accepted
from sessions.errors import Conflict, NotFound, ReplayMismatch
from sessions.identifiers import TURN, new_id
from sessions.models import Turn
from sessions.principal import Principal
from sessions.repository.endings import stop_turn
from sessions.repository.lines import new_line
from sessions.repository.part import Part
from sessions.vocabulary import ConversationState, EventKind, Role, TurnState

_RETRYABLE = (TurnState.FAILED, TurnState.STOPPED)
_BOT_ANSWERS = (ConversationState.BOT, ConversationState.WAITING)


class Accepting(Part):
    async def accept(
        self,
        principal: Principal,
        conversation_id: str,
        client_turn_id: str,
        text: str,
        prompt_text: str,
        body_hash: str,
        traceparent: str | None = None,
        trace_id: str | None = None,
        stopped_by: str | None = None,
    ) -> Accepted:
        """Store a customer's message and queue the turn. While an agent answers, the turn ends as it begins.

        So does one with a reason `stopped_by`: what it asks for is done without the engine.

        Raises NotFound, ReplayMismatch, Conflict `conversation_closed`.
        """
        conversation = await self.log.locked(principal, conversation_id)
        if earlier := await self.posted(conversation_id, client_turn_id):
            return _replay(earlier, body_hash)
        if conversation.state == ConversationState.CLOSED:
            raise Conflict("conversation_closed", "The conversation is closed.")
        turn = Turn(
            id=new_id(TURN),
            conversation_id=conversation_id,
            client_turn_id=client_turn_id,
            body_hash=body_hash,
            seq=conversation.last_seq + 1,
            state=TurnState.QUEUED,
            traceparent=traceparent,
            trace_id=trace_id,
        )
        self.session.add(turn)
        message = new_line(conversation, Role.CUSTOMER, text, prompt_text=prompt_text, turn_id=turn.id)
        self.log.append(conversation, EventKind.TURN_STARTED, _started(turn), turn_id=turn.id, message=message)
        reason = "agent" if conversation.state == ConversationState.AGENT else stopped_by
        if reason is not None:
            await stop_turn(self.log, conversation, turn, reason)
        return Accepted(turn.id, turn.seq, replay=False)

    async def stop(self, principal: Principal, conversation_id: str, turn_id: str) -> TurnState:
        """End a queued turn at once, ask the owner of a running one; nothing is left to stop after the reply.

        Raises NotFound.
        """
        conversation = await self.log.locked(principal, conversation_id)
        turn = await self._locked_turn(conversation_id, turn_id)
        if turn.state == TurnState.QUEUED:
            await stop_turn(self.log, conversation, turn)
        elif turn.state == TurnState.RUNNING and turn.reply_message_id is None:
            turn.stop_requested = True
        return TurnState(turn.state)

    async def retry(self, principal: Principal, conversation_id: str, turn_id: str) -> TurnState:
        """Queue a failed or stopped turn again, if it is the newest.

        Raises NotFound, Conflict `turn_not_retryable`.
        """
        conversation = await self.log.locked(principal, conversation_id)
        turn = await self._locked_turn(conversation_id, turn_id)
        if conversation.state not in _BOT_ANSWERS or turn.state not in _RETRYABLE or await self._has_later(turn):
            raise Conflict("turn_not_retryable", "Only the newest turn, failed or stopped, can be tried again.")
        message = await self.log.asked(turn)
        turn.state, turn.attempts_before, turn.stop_requested = TurnState.QUEUED, turn.attempt, False
        turn.owner = turn.prompt_seq = turn.error_code = turn.finished_at = None
        payload = _started(turn) | {"message": message.wire()}
        self.log.append(conversation, EventKind.TURN_STARTED, payload, turn_id=turn.id)
        return TurnState(turn.state)

    async def get(self, principal: Principal, turn_id: str) -> Turn:
        """Raises NotFound."""
        turn = await self.session.get(Turn, turn_id)
        if turn is None:
            raise NotFound("no such turn")
        await self.log.seen(principal, turn.conversation_id)
        return turn

    async def posted(self, conversation_id: str, client_turn_id: str) -> Turn | None:
        """The turn that this id made, of a conversation that the caller has been given."""
        return await self.session.scalar(
            select(Turn).where(Turn.conversation_id == conversation_id, Turn.client_turn_id == client_turn_id)
        )

    async def _locked_turn(self, conversation_id: str, turn_id: str) -> Turn:
        turn = await self.session.get(Turn, turn_id, with_for_update=True, populate_existing=True)
        if turn is None or turn.conversation_id != conversation_id:
            raise NotFound("no such turn")
        return turn

    async def _has_later(self, turn: Turn) -> bool:
        later = select(Turn.id).where(Turn.conversation_id == turn.conversation_id, Turn.seq > turn.seq)
        return await self.session.scalar(later.limit(1)) is not None


def _started(turn: Turn) -> dict[str, str]:
    return {"turn_id": turn.id, "client_turn_id": turn.client_turn_id}


def _replay(turn: Turn, body_hash: str) -> Accepted:
    if turn.body_hash != body_hash:
        raise ReplayMismatch("client_turn_id was used before with another body")
    return Accepted(turn.id, turn.seq, replay=True)
