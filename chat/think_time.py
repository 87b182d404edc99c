"""Prefill while people think: what a conversation will need is computed before it is asked for, where it will be.

When a customer types, when an agent opens a conversation, and when a replica is drained, the next call of the engine
is near and its prompt's beginning is known. It is brought to the replica that the policy will choose, at the lowest
priority, and only if it is expected to be missing there and the replica has nothing else to do.
"""

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum

import structlog

from backend.errors import EngineError
from backend.placement import Ahead, Placement, Ranking, Snapshot
from backend.priority import Priority
from backend.salt import cache_salt
from chat.ahead import ahead_of, pin_of
from chat.services import Services
from chat.turns.folding import Past
from prompts import Line, LineRole, assemble
from sessions import Conversation, ConversationState, NotFound, Pin, Server, Unavailable

log = structlog.get_logger(__name__)

AGAIN_S = 10.0
"""A conversation is looked at once in so long, however often somebody types."""

WORTH_TOKENS = 128
"""Less than this is prefilled with the turn itself: four blocks, a tenth of a second on a small machine."""

OPENING = "Hello"
"""Stands for a first message that is not known yet."""


class Prepared(StrEnum):
    """What came of it; the label of the metric."""

    PREFILLED = "prefilled"
    WARM = "warm"  # it was there
    BUSY = "busy"  # the replica has customers to serve
    FAILED = "failed"


@dataclass(frozen=True)
class _Known:
    conversation: Conversation
    ahead: Ahead
    messages: list[dict[str, str]]
    salt: str


class ThinkTime:
    """The prefills of one process. `expect` returns at once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looked_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[Prepared]] = set()

    def expect(self, conversation_id: str) -> None:
        """Somebody will soon ask for this conversation's next reply."""
        now_s = time.monotonic()
        if now_s - self._looked_at.get(conversation_id, -AGAIN_S) < AGAIN_S:
            return
        self._looked_at = {key: at for key, at in self._looked_at.items() if now_s - at < AGAIN_S}
        self._looked_at[conversation_id] = now_s
        task = asyncio.create_task(self.prepare(conversation_id), name=f"prefill {conversation_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def prepare(self, conversation_id: str) -> Prepared:
        """Bring the conversation's prefix to where its next turn will go, and its pin with it."""
        try:
            outcome = await self._prepare(conversation_id)
        except (EngineError, Unavailable, NotFound) as error:
            log.info("not_prefilled", conversation_id=conversation_id, error_type=type(error).__name__)
            outcome = Prepared.FAILED
        self._services.telemetry.metrics.prefills.labels(outcome).inc()
        return outcome

    async def _prepare(self, conversation_id: str) -> Prepared:
        known = await self._known(conversation_id)
        replicas = self._services.replicas
        views = replicas.snapshot()
        ranking = replicas.policy.rank(known.ahead, views, time.monotonic())
        if not ranking.order:
            return Prepared.BUSY
        target = next(view for view in views if view.id == ranking.order[0])
        if ranking.candidates[0].new_tokens < WORTH_TOKENS:
            await self._move_pin(known, target, ranking, ranking.candidates[0].cached_tokens)
            return Prepared.WARM
        if target.load or target.waiting:
            return Prepared.BUSY
        held_tokens = await self._prefill(known, target, ranking)
        await self._move_pin(known, target, ranking, held_tokens)
        log.info("prefilled", conversation_id=conversation_id, replica=target.id, reason=ranking.reason)
        return Prepared.PREFILLED

    async def _prefill(self, known: _Known, target: Snapshot, ranking: Ranking) -> int:
        """Returns the length of the prompt that the replica now holds."""
        with self._services.replicas.enter(target.id, known.ahead, ranking) as ticket:
            used = await self._services.engine.prefill(
                target.id, known.messages, cache_salt=known.salt, priority=Priority.WARM_UP, ticket=ticket
            )
        return used.prompt_tokens or 0

    async def _move_pin(self, known: _Known, target: Snapshot, ranking: Ranking, held_tokens: int) -> None:
        """Bind the conversation to where its prefix is now; its next turn tells the reason. Whoever was first wins."""
        if known.ahead.pin is None or ranking.reason is Placement.PINNED:
            return
        pin = Pin(target.id, target.boot_id or "", held_tokens, brand=known.ahead.brand, moved=ranking.reason)
        async with self._services.store.begin() as repo:
            await repo.conversations.set_pin(known.conversation.id, pin, known.conversation.pin_version)

    async def _known(self, conversation_id: str) -> _Known:
        """The prompt's beginning as far as it is certain: up to the engine's last reply."""
        services = self._services
        async with services.store.read() as repo:
            conversation = await repo.conversations.get(Server(), conversation_id)
            if conversation.state == ConversationState.CLOSED:
                raise NotFound("closed")
            spoken = await repo.turns.spoken(conversation_id)
            fold = await repo.folds.of(conversation_id)
            site = await repo.sites.get(conversation.site_key)
        pack = await services.packs.get(conversation.pack, conversation.pack_version)
        salt = cache_salt(services.secret, site.key, site.salt_epoch)
        lines = Past([Line(LineRole(item.role.value), item.text) for item in spoken], fold, ()).view
        while lines and lines[-1].role != LineRole.ASSISTANT:
            lines = lines[:-1]
        messages = assemble(pack, lines or [Line(LineRole.CUSTOMER, OPENING)])
        ahead = ahead_of(conversation_id, pin_of(conversation.pin), pack, salt, messages)
        return _Known(conversation, ahead, messages, salt)
