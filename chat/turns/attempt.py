"""One attempt: the engine's text in, what the customer reads out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from backend.engine import Piece, Usage
from backend.errors import EngineError
from chat.lookups import LookupAnswer
from prompts import Fill, FilledReply, LookupCall, LookupNeeded, ReplyDone, Shown, Step
from telemetry.names import FIRST_TOKEN, LOOKUP, LOOKUP_NAME, LOOKUP_OUTCOME, RENDERED, TEMPLATE_KNOWN, VALIDATED


@dataclass
class ReplyAttempt:
    """Feeds a `Fill` and passes on its steps.

    `show(visible)` is called with the whole visible text whenever it has grown, `done(reply)` once, when the reply
    is final, `look_up` for the facts of a template while the engine still writes. `mark(moment, attributes)` hears of
    each moment that a trace names.
    """

    fill: Fill
    look_up: Callable[[LookupCall], Awaitable[LookupAnswer]]
    show: Callable[[str], Awaitable[None]]
    done: Callable[[FilledReply], Awaitable[None]]
    mark: Callable[[str, Mapping[str, str]], None] = lambda moment, attributes: None
    _lookup: asyncio.Task[LookupAnswer] | None = field(default=None, init=False)
    _marked: set[str] = field(default_factory=set, init=False)

    async def run(self, pieces: AsyncGenerator[Piece, None]) -> Usage | None:
        """Read the engine's stream to its end; None if it broke after the part that customers read.

        Raises EngineError if it broke before, InvalidReply if what it wrote is not a lawful reply.
        """
        try:
            usage = await self._read(pieces)
            self.fill.end()
            await self._answer_lookup()
            return usage
        finally:
            if self._lookup:
                self._lookup.cancel()

    async def _read(self, pieces: AsyncGenerator[Piece, None]) -> Usage | None:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        return piece
                    self._mark_once(FIRST_TOKEN)
                    steps = self.fill.feed(piece.text)
                    self._mark_progress()
                    await self._take(steps)
                    if self._lookup and self._lookup.done():
                        await self._answer_lookup()
        except EngineError:
            # What follows the head is for the staff: the reply stands without it.
            if not self.fill.head_closed:
                raise
        return None

    async def _take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Shown():
                    await self.show(self.fill.visible)
                case LookupNeeded(call):
                    self._lookup = asyncio.create_task(self.look_up(call))
                case ReplyDone(reply):
                    self._mark_once(RENDERED)
                    await self.done(reply)

    async def _answer_lookup(self) -> None:
        if self._lookup is None:
            return
        answer, self._lookup = await self._lookup, None
        self.mark(LOOKUP, {LOOKUP_NAME: self.fill.needs_lookup.name, LOOKUP_OUTCOME: answer.outcome})
        await self._take(self.fill.provide(answer.outcome, answer.facts))

    def _mark_progress(self) -> None:
        if self.fill.template:
            self._mark_once(TEMPLATE_KNOWN)
        if self.fill.head_closed:
            self._mark_once(VALIDATED)

    def _mark_once(self, moment: str) -> None:
        if moment not in self._marked:
            self._marked.add(moment)
            self.mark(moment, {})
