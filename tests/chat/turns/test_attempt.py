"""One attempt, piece by piece: what is shown and looked up while the engine still writes."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from backend.engine import Piece, Text, Usage
from backend.errors import StreamBroken
from chat.lookups import LookupAnswer
from chat.turns.attempt import ReplyAttempt
from prompts import Fill, FilledReply, LookupCall, LookupOutcome, Pack
from tests.prompts.engine_text import SHIPPED, reply

ASKED = "where is order 10234?"
RAW = reply("track_order", {"order_id": "10234"})
USAGE = Usage("stop", 900, 880, 20)


@dataclass
class Wire:
    """An engine that writes a piece when it is told to."""

    pieces: "asyncio.Queue[Piece | Exception]" = field(default_factory=asyncio.Queue)

    async def stream(self) -> AsyncGenerator[Piece, None]:
        while True:
            piece = await self.pieces.get()
            if isinstance(piece, Exception):
                raise piece
            yield piece
            if isinstance(piece, Usage):
                return

    async def write(self, piece: Piece | Exception) -> None:
        """Let the attempt take a piece and do what follows from it."""
        await self.pieces.put(piece)
        for _ in range(10):
            await asyncio.sleep(0)


@dataclass
class Scene:
    """An attempt under way. `answer` is what the lookup waits for."""

    pack: Pack
    wire: Wire = field(default_factory=Wire)
    shown: list[str] = field(default_factory=list)
    done: list[FilledReply] = field(default_factory=list)
    calls: list[LookupCall] = field(default_factory=list)
    moments: list[str] = field(default_factory=list)
    answer: "asyncio.Future[LookupAnswer]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def begin(self) -> "asyncio.Task[Usage | None]":
        attempt = ReplyAttempt(Fill(self.pack, "en", [ASKED]), self._look_up, self._show, self._done, self._mark)
        return asyncio.create_task(attempt.run(self.wire.stream()))

    def found(self) -> None:
        self.answer.set_result(LookupAnswer(LookupOutcome.FOUND, SHIPPED))

    async def _look_up(self, call: LookupCall) -> LookupAnswer:
        self.calls.append(call)
        return await self.answer

    def _mark(self, moment: str, attributes: object) -> None:
        self.moments.append(moment)

    async def _show(self, visible: str) -> None:
        self.shown.append(visible)

    async def _done(self, reply: FilledReply) -> None:
        self.done.append(reply)


def cut(end: str) -> tuple[str, str]:
    """The raw reply before and behind `end`."""
    at = RAW.index(end) + len(end)
    return RAW[:at], RAW[at:]


async def test_a_lookup_starts_once_its_argument_has_closed_while_the_engine_still_writes(demo: Pack) -> None:
    scene = Scene(demo)
    running = scene.begin()
    before, after = cut('"10234')
    await scene.wire.write(Text(before))
    assert (scene.shown, scene.calls) == (["Let me check that for you."], [])
    await scene.wire.write(Text(after[0]))
    assert scene.calls == [LookupCall("order_status", {"order_id": "10234"})]
    await scene.wire.write(Text(after[1:]))
    assert not scene.done, "the facts are not there yet"
    await scene.wire.write(USAGE)
    scene.found()
    assert await running == USAGE
    assert [reply.template for reply in scene.done] == ["track_order"]
    assert len(scene.calls) == 1


async def test_an_answer_shows_while_the_engine_writes_for_the_staff(demo: Pack) -> None:
    scene = Scene(demo)
    running = scene.begin()
    head, tail = cut('"10234"}')
    await scene.wire.write(Text(head))
    scene.found()
    await scene.wire.write(Text(tail[:10]))
    assert "on its way with Parcel Post" in scene.shown[-1]
    assert [reply.text for reply in scene.done] == [scene.shown[-1]]
    await scene.wire.write(Text(tail[10:]))
    await scene.wire.write(USAGE)
    assert await running == USAGE


async def test_a_stream_that_breaks_behind_the_slots_still_gets_its_facts(demo: Pack) -> None:
    scene = Scene(demo)
    running = scene.begin()
    await scene.wire.write(Text(cut('"10234"}')[0]))
    await scene.wire.write(StreamBroken("r0", "cut"))
    scene.found()
    assert await running is None
    assert "on its way" in scene.done[0].text


async def test_a_stream_that_breaks_before_leaves_no_lookup_behind(demo: Pack) -> None:
    scene = Scene(demo)
    running = scene.begin()
    await scene.wire.write(Text(cut('"10234"')[0]))
    assert scene.calls
    await scene.wire.write(StreamBroken("r0", "cut"))
    with pytest.raises(StreamBroken):
        await running
    await asyncio.sleep(0)
    assert scene.answer.cancelled()


async def test_each_moment_of_an_attempt_is_marked_once_and_in_its_time(demo: Pack) -> None:
    scene = Scene(demo)
    running = scene.begin()
    head, tail = cut('"10234"}')
    await scene.wire.write(Text(head[:5]))
    assert scene.moments == ["first_token"]
    await scene.wire.write(Text(head[5:]))
    assert scene.moments == ["first_token", "template_known", "validated"], "what is lawful is not yet whole"
    scene.found()
    await scene.wire.write(Text(tail))
    await scene.wire.write(USAGE)
    await running
    assert scene.moments == ["first_token", "template_known", "validated", "lookup", "rendered"]
