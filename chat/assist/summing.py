"""A conversation summed up for an agent: what the engine writes, as far as the conversation bears it out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from backend.engine import Text
from backend.errors import EngineError, NotReady, QueueFull
from chat.assist.brief import Brief, asking, fitting
from chat.services import Services
from prompts import LineRole, assemble, folding

log = structlog.get_logger(__name__)

LIMIT_S = 10.0


@dataclass(frozen=True)
class SummedUp:
    """`by_engine` tells whether the engine had a part in it; without one it is what the turns' rows say."""

    demand: str | None
    sentiment: str | None
    facts: Sequence[str]
    promises: Sequence[str]
    open_questions: Sequence[str]
    by_engine: bool


async def summed_up(
    services: Services,
    brief: Brief,
    told: Sequence[folding.ToldTurn],
    promises: Sequence[str],
    *,
    demand: str | None = None,
    sentiment: str | None = None,
) -> SummedUp:
    """`told` and `promises` are what is known for certain; the engine adds what it finds in the words."""
    certain = folding.certain_summary(told, brief.lines)
    raw = await _asked(services, brief)
    written = folding.read_summary(raw, brief.lines) if raw else None
    whole = folding.joined(written, certain)
    said = [line.text for line in brief.lines if line.role == LineRole.AGENT]
    wanted = demand or next(iter(whole.open_demands), None)
    return SummedUp(
        demand=wanted,
        sentiment=sentiment,
        facts=whole.facts,
        promises=[*promises, *(written.promises_made if written else ()), *said][: folding.LIST_MAX_ITEMS],
        open_questions=[each for each in whole.open_demands if each != wanted],
        by_engine=written is not None,
    )


async def _asked(services: Services, brief: Brief) -> str | None:
    """The engine's summary, unread; None when it has none to give."""
    if not brief.asked:
        return None
    room = services.settings.max_model_len - folding.FOLD_ROOM
    lines = assemble(brief.pack, fitting(brief.pack, brief.asked, room))
    messages = [*lines, {"role": "user", "content": folding.ASK}]
    try:
        async with (
            asyncio.timeout(LIMIT_S),
            asking(services, brief, messages, folding.fold_schema(), folding.SUMMARY_TOKENS) as pieces,
        ):
            return "".join([piece.text async for piece in pieces if isinstance(piece, Text)])
    except (EngineError, NotReady, QueueFull, TimeoutError) as error:
        log.warning("summary_cut", error_type=type(error).__name__)
    return None
