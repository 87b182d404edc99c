"""The way of one turn, from its claim to its end.

Load, assemble, then attempts: each one ranked by the placement policy and made as one LiteLLM Router call on one
replica. What the customer may read is committed before it is shown; the reply is done when its JSON up to the end of
`slots` is lawful; what follows is for the staff.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from itertools import takewhile
from pathlib import Path

import structlog

from backend.engine import Attempt, Usage
from backend.errors import EngineError, NotReady
from backend.placement import Ahead
from backend.priority import Priority
from backend.salt import cache_salt
from backend.ticket import Ticket
from chat import handoff
from chat.ahead import ahead_of, pin_after, pin_of
from chat.services import Services
from chat.turns.attempt import ReplyAttempt
from chat.turns.briefing import Briefing
from chat.turns.flusher import Flusher
from chat.turns.folding import Folder, Past
from chat.turns.shown import Shown
from chat.turns.trace import TurnTrace, since_ms
from prompts import Fill, FilledReply, InvalidReply, Line, LineRole, Notice, Ungrounded
from sessions import Annotation, Claim, Delta, Pin, Reply, TurnState
from telemetry.names import ASSEMBLE, COMMIT, REQUEST, ROUTE, SETTLE, STORE

log = structlog.get_logger(__name__)

MAX_TOKENS = 220
"""Room for twice the longest reply of the demo shop."""

REPLICA_WAIT_S = 2.0
"""How long a turn waits for a replica to become ready before its customer is told that none is."""


class Answering:
    """One claimed turn. `stop_requested` and `lost` say why its task is being cancelled."""

    def __init__(self, services: Services, flusher: Flusher, claim: Claim) -> None:
        self.claim = claim
        self.stop_requested = claim.stop_requested
        self.lost = False
        self._services, self._flusher = services, flusher
        self._settings = services.settings
        self._shown = Shown(claim.shown)
        self._trace = TurnTrace(services.telemetry, claim, Path(services.settings.model).name)
        self._first_text_ms: float | None = None
        self._replied = False
        self._continues, self._released = True, False

    @property
    def trace_id(self) -> str:
        return format(self._trace.span.get_span_context().trace_id, "032x")

    async def run(self) -> None:
        """Answer the turn. Raises LostLease when somebody else holds it, Unavailable when the store is away."""
        try:
            async with asyncio.timeout(self._settings.turn_timeout.total_seconds()):
                await self._answer()
        except TimeoutError:
            await self.failed("turn_timeout")

    async def interrupted(self) -> None:
        """The task was cancelled: end the turn as its customer asked, or leave it to whoever claims it next."""
        self._flusher.drop(self.claim.turn_id)
        if self.lost:
            return
        with self._trace.step(COMMIT):
            async with self._services.store.begin() as repo:
                if self._replied:
                    await repo.turns.annotate(self.claim, Annotation())
                elif self.stop_requested:
                    await repo.turns.stopped(self.claim)
                    self._trace.outcome("stopped")
                else:
                    await repo.turns.release(self.claim)

    async def failed(self, code: str) -> None:
        """End the turn in the pack's words for it. A reply that is already done stands."""
        self._flusher.drop(self.claim.turn_id)
        pack = await self._services.packs.get(self.claim.pack, self.claim.pack_version)
        notice = pack.notice(Notice.UNAVAILABLE if code == "no_replica" else Notice.FAILED, self.claim.locale)
        with self._trace.step(COMMIT):
            async with self._services.store.begin() as repo:
                state = await repo.turns.fail(self.claim, code, notice.text, list(notice.quick_replies))
        if state == TurnState.FAILED:
            self._trace.outcome("failed", code)
            log.warning("turn_failed", turn_id=self.claim.turn_id, code=code, attempt=self.claim.attempt)

    def end(self) -> None:
        """Close the books, however the turn ended."""
        self._trace.end()

    async def _answer(self) -> None:
        briefing, failed, code, again = await self._brief(), set[str](), "no_replica", False
        while self.claim.attempts + again <= self._settings.max_attempts:
            ahead = self._ahead(briefing)
            ticket = await self._route(ahead, failed, again=again)
            if ticket is None:
                break
            try:
                with ticket:
                    await self._attempt(briefing, ahead, ticket)
            except InvalidReply as error:
                # The engine decodes greedily: asked the same again, it would write the same again.
                code = self._refused(error)
                if briefing.is_strict:
                    failed.add(ticket.replica_id)
                briefing = briefing.strict()
            except EngineError as error:
                log.warning("attempt_failed", turn_id=self.claim.turn_id, replica=error.replica_id, code=error.code)
                code = error.code
                failed.add(error.replica_id)
                if not error.retryable:
                    break
            else:
                return
            again = True
        await self.failed(code)

    async def _brief(self) -> Briefing:
        claim, services = self.claim, self._services
        with self._trace.step(STORE):
            async with services.store.read() as repo:
                history = await repo.turns.history(claim)
                fold, told = await repo.folds.of(claim.conversation_id), await repo.folds.told(claim.conversation_id)
                site = await repo.sites.get(claim.site_key)
            pack = await services.packs.get(claim.pack, claim.pack_version)
        past = Past([Line(LineRole(item.role.value), item.text) for item in history], fold, told)
        salt = cache_salt(services.secret, site.key, site.salt_epoch)
        folder = Folder(services, self._trace, claim, pack, salt, MAX_TOKENS)
        before = await folder.fitted(past)
        self._continues, self._released = not folder.has_folded, _was_with_a_person(past.lines)
        with self._trace.step(ASSEMBLE):
            asked = Line(LineRole.CUSTOMER, claim.prompt_text)
            whole = [*past.lines, asked]
            return Briefing.of(
                pack, claim.locale, whole, salt, view=[*before, asked], only=services.packs.speakable(pack)
            )

    def _ahead(self, briefing: Briefing) -> Ahead:
        return ahead_of(
            self.claim.conversation_id,
            pin_of(self.claim.pin),
            briefing.pack,
            briefing.salt,
            briefing.messages,
            continues=self._continues,
            released=self._released,
        )

    async def _route(self, ahead: Ahead, failed: set[str], *, again: bool) -> Ticket | None:
        """A place on a replica, kept with the turn; None when none can serve. `again` begins another attempt.

        Raises LostLease.
        """
        with self._trace.step(ROUTE) as span, ExitStack() as held:
            if again:
                await self._next_attempt()
            ticket = await self._place(ahead, failed)
            if ticket is None:
                return None
            held.enter_context(ticket)
            self._trace.placed(span, ahead, ticket.ranking)
            async with self._services.store.begin() as repo:
                await repo.turns.note_attempt(
                    self.claim, replica=ticket.replica_id, placement=ticket.ranking.reason, trace_id=self.trace_id
                )
            held.pop_all()
            return ticket

    async def _place(self, ahead: Ahead, failed: set[str]) -> Ticket | None:
        """A place on a replica; None when none can serve. An accepted turn is never told that the line is full."""
        replicas = self._services.replicas
        try:
            return await replicas.admit(ahead, failed, patient=True)
        except NotReady:
            with suppress(NotReady):
                await replicas.wait_ready(REPLICA_WAIT_S)
        try:
            return await replicas.admit(ahead, failed, patient=True)
        except NotReady as error:
            log.warning("no_replica", turn_id=self.claim.turn_id, reason=str(error))
            return None

    async def _attempt(self, briefing: Briefing, ahead: Ahead, ticket: Ticket) -> None:
        """One attempt, to the end of the turn. Raises EngineError or InvalidReply when another may do better."""
        replica = self._services.replicas.view(ticket.replica_id)
        fill = briefing.fill()
        with self._trace.attempt(self.claim, replica) as trace:
            request = Attempt(
                replica.id,
                briefing.messages,
                briefing.schema,
                max_tokens=MAX_TOKENS,
                cache_salt=briefing.salt,
                priority=Priority.CUSTOMER,
                traceparent=trace.traceparent,
                ticket=ticket,
            )
            look_up = partial(self._services.lookups.run, briefing.pack)
            reply = ReplyAttempt(fill, look_up, self._show, partial(self._finish, fill), trace.mark)
            trace.mark(REQUEST)
            usage = await reply.run(self._services.engine.stream(request))
            if usage:
                trace.finished(usage)
        pin = pin_after(ahead, ticket, replica.boot_id, usage)
        await self._settle(fill, usage, pin, briefing)

    async def _show(self, visible: str) -> None:
        growth = self._shown.grow(visible)
        if growth is None:
            return
        if growth.reset:
            await self._reset()
        delta = Delta(self.claim.conversation_id, self.claim.turn_id, self.claim.attempt, self.claim.owner, growth.text)
        if self._first_text_ms is None:
            await self._flusher.now(delta)
            self._first_text_ms = since_ms(self.claim.created_at)
            self._trace.first_text(self._first_text_ms)
        else:
            self._flusher.add(delta)

    async def _reset(self) -> None:
        self._flusher.drop(self.claim.turn_id)
        self._trace.reset()
        async with self._services.store.begin() as repo:
            await repo.turns.reset(self.claim)

    async def _finish(self, fill: Fill, reply: FilledReply) -> None:
        """The customer's part is final: commit it as the turn's one reply."""
        self._flusher.drop(self.claim.turn_id)
        total_ms = since_ms(self.claim.created_at)
        stored = Reply(
            text=reply.text,
            prompt_text=fill.replay,
            action=reply.action,
            template=reply.template,
            slots={name: asdict(slot) for name, slot in reply.slots.items()},
            quick_replies=list(reply.quick_replies),
            lookup=asdict(reply.lookup) if reply.lookup else None,
            ttfv_ms=self._first_text_ms or total_ms,
            total_ms=total_ms,
        )
        with self._trace.step(COMMIT):
            async with self._services.store.begin() as repo:
                missing = await handoff.missing_for(self._services, repo, self.claim, reply.action)
                await repo.turns.finish_reply(self.claim, stored, missing)
                await handoff.called(self._services, repo, self.claim, missing)
        self._replied = True
        self._trace.replied(reply, total_ms)

    async def _settle(self, fill: Fill, usage: Usage | None, pin: Pin, briefing: Briefing) -> None:
        """What the engine told the staff and itself: the annotation, the tokens, the pin."""
        told = fill.annotation
        if told is None:
            self._trace.annotation_cut()
        if usage:
            self._trace.used(usage, briefing.index)
        annotation = Annotation(
            demand=told and told.demand,
            sentiment=told and told.sentiment,
            action_reason=told and told.action_reason,
            prompt_text=fill.replay,
            prompt_tokens=usage and usage.prompt_tokens,
            cached_tokens=usage and usage.cached_tokens,
            completion_tokens=usage and usage.completion_tokens,
        )
        with self._trace.step(SETTLE):
            async with self._services.store.begin() as repo:
                await repo.turns.annotate(self.claim, annotation)
                await handoff.offer(self._services, repo, self.claim, briefing.pack)
                await repo.conversations.set_pin(self.claim.conversation_id, pin, self.claim.pin_version)

    def _refused(self, error: InvalidReply) -> str:
        reason = "ungrounded" if isinstance(error, Ungrounded) else "invalid"
        self._trace.refused(reason)
        log.warning("reply_refused", turn_id=self.claim.turn_id, reason=error.reason)
        return "invalid_reply"

    async def _next_attempt(self) -> None:
        self._flusher.drop(self.claim.turn_id)
        async with self._services.store.begin() as repo:
            self.claim = await repo.turns.next_attempt(self.claim)


def _was_with_a_person(lines: Sequence[Line]) -> bool:
    """Whether an agent has written since the engine's last reply."""
    since = takewhile(lambda line: line.role != LineRole.ASSISTANT, reversed(lines))
    return any(line.role in (LineRole.AGENT, LineRole.NOTE) for line in since)
