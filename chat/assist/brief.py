"""What the engine is asked about when it helps an agent."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from backend.engine import Attempt, Piece
from backend.placement import Pin
from backend.priority import Priority
from backend.salt import cache_salt
from chat.ahead import ahead_of, pin_of
from chat.services import Services
from chat.turns.folding import Past
from prompts import Line, LineRole, Pack, assemble
from prompts.tokens import estimated_prompt
from sessions import Conversation, HistoryItem, Repository, Site


@dataclass(frozen=True)
class Brief:
    """`asked` is what the engine reads, to the end of the customer's last message: the beginning is what it has in its
    cache. `lines` is all that was said, `base_seq` how far the conversation had come, `key` its name for the placement
    policy. `conversation_id` is None for a foreign one.
    """

    site_key: str
    pack: Pack
    locale: str
    asked: tuple[Line, ...]
    lines: tuple[Line, ...]
    salt: str
    pin: Pin | None
    base_seq: int
    key: str
    conversation_id: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The customer's own messages, in which copied values must stand."""
        return tuple(line.text for line in self.lines if line.role == LineRole.CUSTOMER)


async def brief_of(services: Services, repo: Repository, conversation: Conversation, said: list[HistoryItem]) -> Brief:
    """The brief of one of our conversations, in which `said` was said."""
    site = await repo.sites.get(conversation.site_key)
    fold, told = await repo.folds.of(conversation.id), await repo.folds.told(conversation.id)
    past = Past([Line(LineRole(item.role.value), item.text) for item in said], fold, told)
    return Brief(
        site_key=site.key,
        pack=await services.packs.get(conversation.pack, conversation.pack_version),
        locale=conversation.locale,
        asked=up_to_the_customer(past.view),
        lines=tuple(past.lines),
        salt=salt_of(services, site),
        pin=pin_of(conversation.pin),
        base_seq=conversation.last_seq,
        key=conversation.id,
        conversation_id=conversation.id,
    )


def salt_of(services: Services, site: Site) -> str:
    return cache_salt(services.secret, site.key, site.salt_epoch)


def up_to_the_customer(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines to the end of the customer's last one; none if the customer has said nothing."""
    ends = [at for at, line in enumerate(lines, start=1) if line.role == LineRole.CUSTOMER]
    return tuple(lines[: ends[-1]]) if ends else ()


def fitting(pack: Pack, lines: Sequence[Line], room_tokens: int) -> list[Line]:
    """The newest lines that leave the prompt within `room_tokens`, one at least."""
    kept = list(lines)
    while len(kept) > 1 and estimated_prompt(assemble(pack, kept)) > room_tokens:
        kept = kept[max(1, len(kept) // 8) :]
    return kept


@asynccontextmanager
async def asking(
    services: Services, brief: Brief, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], max_tokens: int
) -> AsyncIterator[AsyncGenerator[Piece, None]]:
    """The engine's stream for an agent: on the conversation's own replica, after every customer's turn.

    Raises NotReady when no replica serves, QueueFull when the line is full, and EngineError.
    """
    ahead = ahead_of(brief.key, brief.pin, brief.pack, brief.salt, messages)
    with await services.replicas.admit(ahead, priority=Priority.SUGGESTION) as ticket:
        request = Attempt(
            ticket.replica_id,
            messages,
            schema,
            max_tokens=max_tokens,
            cache_salt=brief.salt,
            priority=Priority.SUGGESTION,
            ticket=ticket,
        )
        async with aclosing(services.engine.stream(request)) as pieces:
            yield pieces
