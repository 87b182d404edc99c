"""`repo.folds`: what is kept of a conversation's beginning when its history has grown too long for the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from sessions.claim import Claim
from sessions.errors import LostLease
from sessions.models import Fold, Turn
from sessions.repository.claiming import held_by
from sessions.repository.part import Part


@dataclass(frozen=True)
class Told:
    """What the row of an answered turn says of it. `slots` is {name: {value, source}}; tokens None when unknown."""

    demand: str | None
    template: str
    slots: Mapping[str, Any]
    prompt_tokens: int | None
    completion_tokens: int | None


class Folds(Part):
    async def of(self, conversation_id: str) -> Fold | None:
        """The conversation's fold, if it has one."""
        return await self.session.get(Fold, conversation_id)

    async def told(self, conversation_id: str) -> Sequence[Told]:
        """The answered turns in the order of the prompt: the nth is that of the nth reply in the history."""
        rows = await self.session.execute(
            select(Turn.demand, Turn.template, Turn.slots, Turn.prompt_tokens, Turn.completion_tokens)
            .where(Turn.conversation_id == conversation_id, Turn.reply_message_id.is_not(None))
            .order_by(Turn.prompt_seq)
        )
        return [Told(demand, template, slots or {}, read, wrote) for demand, template, slots, read, wrote in rows]

    async def keep(self, claim: Claim, fold: Fold) -> None:
        """Store a fold of the claim's conversation, in place of an earlier one. Raises LostLease."""
        held = await self.session.scalar(select(Turn.id).where(held_by(claim)).with_for_update())
        if held is None:
            raise LostLease(claim.turn_id)
        await self.session.merge(fold)
