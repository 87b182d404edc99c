"""Keeps a conversation's prompt within the engine's context: near the limit its history is folded, once.

The engine sums up what it has in cache, on the replica that holds it; what it leaves out or makes up is replaced by
what the turns' rows say. The fold is stored before it is used and replayed byte for byte. People go on reading the
messages, which are never folded.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from backend.engine import Attempt, Text
from backend.errors import EngineError
from backend.priority import Priority
from chat.ahead import ahead_of, pin_of
from chat.services import Services
from chat.turns.trace import TurnTrace
from prompts import Line, LineRole, Pack, assemble, folding
from prompts.tokens import estimated_prompt, estimated_tokens
from sessions import Claim, Fold, Told
from telemetry.names import CONVERSATION_COMPACTED, FOLD
from telemetry.propagation import traceparent_of

log = structlog.get_logger(__name__)

FOLD_LIMIT_S = 10.0
"""How long a customer waits for a summary before the certain one is taken."""


@dataclass(frozen=True)
class Past:
    """A conversation before the claimed turn: its lines, its fold if it has one, its answered turns in order."""

    lines: Sequence[Line]
    fold: Fold | None
    told: Sequence[Told]

    @property
    def view(self) -> list[Line]:
        """The lines as the engine reads them."""
        return folding.folded_history(self.lines, self.fold.lines, self.fold.text) if self.fold else list(self.lines)

    def held_tokens(self, pack: Pack) -> int:
        """What the prompt of the last turn and its reply have by the engine's count, and what came after, estimated."""
        since = self.fold.answered if self.fold else 0
        known = [
            (index, turn.prompt_tokens + turn.completion_tokens)
            for index, turn in enumerate(self.told, start=1)
            if index > since and turn.prompt_tokens and turn.completion_tokens
        ]
        if not known:
            return estimated_prompt(assemble(pack, self.view))
        index, counted = known[-1]
        return counted + sum(estimated_tokens(line.text) for line in self._after(index))

    def _after(self, replies: int) -> Sequence[Line]:
        """The lines behind so many replies."""
        ends = [at + 1 for at, line in enumerate(self.lines) if line.role == LineRole.ASSISTANT]
        return self.lines[ends[replies - 1] :]


@dataclass
class Folder:
    """Folds for one claimed turn. `reply_tokens` is the room that its reply needs; `has_folded` what `fitted` did."""

    services: Services
    trace: TurnTrace
    claim: Claim
    pack: Pack
    salt: str
    reply_tokens: int
    has_folded: bool = False

    async def fitted(self, past: Past) -> list[Line]:
        """The lines before the turn's message as the engine reads them. Raises LostLease, Unavailable."""
        new_tokens = estimated_tokens(self.claim.prompt_text)
        context_tokens = self.services.settings.max_model_len
        held = past.held_tokens(self.pack)
        if not folding.is_too_long(held, new_tokens, context_tokens=context_tokens, reply_tokens=self.reply_tokens):
            return past.view
        lines = folding.cut(self.pack, past.lines, room_tokens=context_tokens - new_tokens - self.reply_tokens)
        if lines <= (past.fold.lines if past.fold else 0):
            return past.view
        fold = await self._fold(past, lines)
        self.has_folded = True
        log.info("history_folded", turn_id=self.claim.turn_id, lines=lines, held_tokens=held, by_engine=fold.by_engine)
        return folding.folded_history(past.lines, fold.lines, fold.text)

    async def _fold(self, past: Past, lines: int) -> Fold:
        head = past.lines[:lines]
        answered = sum(line.role == LineRole.ASSISTANT for line in head)
        certain = folding.certain_summary([told_turn(turn) for turn in past.told[:answered]], head)
        raw = await self._ask(past, lines)
        written = raw and folding.read_summary(raw, head)
        fold = Fold(
            conversation_id=self.claim.conversation_id,
            lines=lines,
            answered=len(past.told),
            text=folding.summary_text(folding.joined(written or None, certain)),
            by_engine=bool(written),
        )
        async with self.services.store.begin() as repo:
            await repo.folds.keep(self.claim, fold)
        self.trace.span.set_attribute(CONVERSATION_COMPACTED, True)
        return fold

    async def _ask(self, past: Past, lines: int) -> str | None:
        """The engine's summary, unread; None when it has none to give."""
        known = past.fold.lines if past.fold else 0
        view = past.view[: lines - known + bool(past.fold)]
        messages = [*assemble(self.pack, view), {"role": "user", "content": folding.ASK}]
        ahead = ahead_of(self.claim.conversation_id, pin_of(self.claim.pin), self.pack, self.salt, messages)
        ranking = self.services.replicas.choose(ahead)
        if not ranking.order:
            return None
        with (
            self.trace.step(FOLD) as span,
            self.services.replicas.enter(ranking.order[0], ahead, ranking) as ticket,
        ):
            request = Attempt(
                ticket.replica_id,
                messages,
                folding.fold_schema(),
                max_tokens=folding.SUMMARY_TOKENS,
                cache_salt=self.salt,
                priority=Priority.CUSTOMER,
                traceparent=traceparent_of(span),
                ticket=ticket,
            )
            try:
                async with asyncio.timeout(FOLD_LIMIT_S), aclosing(self.services.engine.stream(request)) as pieces:
                    return "".join([piece.text async for piece in pieces if isinstance(piece, Text)])
            except (EngineError, TimeoutError) as error:
                log.warning("fold_failed", turn_id=self.claim.turn_id, error_type=type(error).__name__)
        return None


def told_turn(turn: Told) -> folding.ToldTurn:
    """What a turn's row says for certain."""
    slots = {name: str(slot["value"]) for name, slot in turn.slots.items() if slot["value"] is not None}
    return folding.ToldTurn(turn.demand, turn.template, slots)
