"""What the engine reads of a conversation: append-only, whatever people do meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from sessions.claim import Claim, HistoryItem
from sessions.models import Message, Turn
from sessions.principal import Principal
from sessions.repository.part import Part
from sessions.vocabulary import HistoryRole, Role

_LINE, _ASKED, _ANSWERED = range(3)
Place = tuple[int, int]


@dataclass(frozen=True)
class Replied:
    """What a reply said and in which mood its customer was."""

    template: str
    text: str
    action: str
    sentiment: str | None


class History(Part):
    async def history(self, claim: Claim) -> list[HistoryItem]:
        """All that comes before the claimed turn's own message in the prompt, in the order of the prompt.

        A turn stands where it was first claimed, with its reply right behind it: a message that came while the
        reply before was being written, or an agent's line, comes after that reply. So what the engine was once
        given is, line for line, the beginning of what it is given later.
        """
        here = (claim.prompt_seq, _ASKED)
        placed = await self._placed(claim.conversation_id)
        return [HistoryItem(_role(message), message.prompt_text) for place, message in placed if place < here]

    async def spoken(self, conversation_id: str) -> list[HistoryItem]:
        """All that the engine has read and written of a conversation, and what came since, in the same order."""
        placed = await self._placed(conversation_id)
        return [HistoryItem(_role(message), message.prompt_text) for _, message in placed]

    async def said(self, principal: Principal, conversation_id: str) -> list[HistoryItem]:
        """All that the engine may read of the conversation up to now, in the order of the prompt. Raises NotFound."""
        await self.log.seen(principal, conversation_id)
        return await self.spoken(conversation_id)

    async def course(self, claim: Claim, last: int) -> list[Replied]:
        """How the last replies of the claim's conversation went, oldest first."""
        rows = await self.session.execute(
            select(Turn.template, Message.content, Turn.action, Turn.sentiment)
            .join(Message, Message.id == Turn.reply_message_id)
            .where(Turn.conversation_id == claim.conversation_id)
            .order_by(Turn.prompt_seq.desc())
            .limit(last)
        )
        return [Replied(*row) for row in reversed(rows.all())]

    async def _placed(self, conversation_id: str) -> list[tuple[Place, Message]]:
        places = await self._places(conversation_id)
        spoken = await self.session.scalars(
            select(Message).where(Message.conversation_id == conversation_id, Message.prompt_text.is_not(None))
        )
        placed = [(place, message) for message in spoken if (place := _place(message, places)) is not None]
        return sorted(placed, key=lambda item: (item[0], item[1].seq))

    async def _places(self, conversation_id: str) -> dict[str, int]:
        rows = await self.session.execute(
            select(Turn.id, Turn.prompt_seq).where(
                Turn.conversation_id == conversation_id, Turn.prompt_seq.is_not(None)
            )
        )
        return dict(rows.all())


def _place(message: Message, places: Mapping[str, int]) -> Place | None:
    """Where a message stands in the prompt; None for one whose turn has not begun."""
    if message.turn_id is None:
        return (message.seq, _LINE)
    if message.turn_id not in places:
        return None
    return (places[message.turn_id], _ANSWERED if message.role == Role.ASSISTANT else _ASKED)


def _role(message: Message) -> HistoryRole:
    return HistoryRole.NOTE if message.staff else HistoryRole(message.role)
