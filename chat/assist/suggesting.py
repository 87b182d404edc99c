"""Up to three replies for an agent to choose from, by three different templates.

The engine fills them by the same guided decoding as for customers, on the replica that has the conversation in its
cache, after every customer's turn. What it has chosen is left out of the next schema: three samplings of one template
would say the same thing three times.
"""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import structlog

from backend.engine import Piece
from backend.errors import EngineError, NotReady, QueueFull
from chat.assist.brief import Brief, asking
from chat.errors import Away
from chat.services import Services
from chat.turns.answering import MAX_TOKENS
from chat.turns.attempt import ReplyAttempt
from prompts import Action, Fill, FilledReply, InvalidReply, assemble, turn_schema

log = structlog.get_logger(__name__)

MOST = 3
MOST_TRIES = 5
"""A template whose slots cannot be filled lawfully costs a try and is left out, too."""
LIMIT_S = 15.0


async def suggestions(services: Services, brief: Brief) -> list[FilledReply]:
    """The best first; fewer, or none, where the templates run out. Raises Away when no replica serves."""
    found: list[FilledReply] = []
    only = sayable(services, brief)
    try:
        async with asyncio.timeout(LIMIT_S):
            for _ in range(MOST_TRIES):
                if not brief.asked or not only or len(found) == MOST:
                    break
                chosen, reply = await _decoded(services, brief, only)
                only -= chosen
                if reply and reply.template not in {each.template for each in found}:
                    found.append(reply)
    except (EngineError, NotReady, QueueFull, TimeoutError) as error:
        log.warning("suggestions_cut", found=len(found), error_type=type(error).__name__)
        if not found:
            raise Away("No replica can suggest anything now.", code="no_replica") from error
    return found


def sayable(services: Services, brief: Brief) -> frozenset[str]:
    """The templates that an agent may say: none is recalled, and none calls for the human who is here already."""
    speakable = services.packs.speakable(brief.pack)
    return frozenset(
        each.id
        for each in brief.pack.offered
        if each.action is not Action.HANDOFF and (speakable is None or each.id in speakable)
    )


async def _decoded(services: Services, brief: Brief, only: frozenset[str]) -> tuple[frozenset[str], FilledReply | None]:
    """One reply by one of these templates, and which was chosen; no reply when it was not lawful."""
    fill, done = Fill(brief.pack, brief.locale, brief.texts, only=only), list[FilledReply]()
    look_up = partial(services.lookups.run, brief.pack)

    async def keep(reply: FilledReply) -> None:
        done.append(reply)

    async def show(_: str) -> None:
        return

    schema = turn_schema(brief.pack, brief.texts, only=only)
    try:
        async with asking(services, brief, assemble(brief.pack, brief.asked), schema, MAX_TOKENS) as pieces:
            await ReplyAttempt(fill, look_up, show, keep).run(_head(pieces, fill))
    except InvalidReply as error:
        log.info("suggestion_refused", reason=error.reason)
    # Without a template there is nothing to leave out, and the next try would write the same.
    return frozenset({fill.template.id}) if fill.template else only, done[0] if done else None


async def _head(pieces: AsyncGenerator[Piece, None], fill: Fill) -> AsyncGenerator[Piece, None]:
    """The engine's text to the end of the slots: what follows is told of the customer, not of the reply."""
    async for piece in pieces:
        yield piece
        if fill.head_closed:
            return
