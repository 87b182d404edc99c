"""What customers can do with their conversations: used by the routes and by the browser page alike.

Every function takes the principal, and raises what the store raises (NotFound for a row of somebody else) or an
ApiError. Functions with `once` answer a repeated Idempotency-Key with the first answer.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chat import handoff
from chat.errors import Missing, TooMany, Unprocessable
from chat.idempotency import Answer, Once, write
from chat.identity import admitted
from chat.notices import notify
from chat.schemas.conversation import ConversationSummary
from chat.schemas.message import MessageOut
from chat.schemas.page import Page, page
from chat.schemas.turn import Painted, TurnNow
from chat.services import Services
from prompts import Notice, prompt_form
from sessions import (
    Accepted,
    Conversation,
    ConversationState,
    Customer,
    Person,
    Principal,
    Repository,
    Role,
    Site,
)
from sessions.identifiers import CONVERSATION, CUSTOMER_TOKEN, PERSON_TOKEN, new_id
from telemetry.identity import turn_parent
from telemetry.names import CONVERSATION_ID, PAINT, PAINT_MS
from telemetry.propagation import admit, trace_id_of

LATEST_RETRY_S = 30.0
"""Nobody is told to come back later than this: a line moves faster again sooner than it can say."""


@dataclass(frozen=True)
class Opened:
    """`token` is the customer's only credential; the store keeps its hash."""

    id: str
    token: str
    greeting: str


async def open_conversation(
    services: Services,
    site_key: str,
    *,
    locale: str | None = None,
    identity: str | None = None,
    person: Person | None = None,
    address: str,
    once: Once | None = None,
) -> Opened:
    """Begin a conversation on a site; an unknown or disabled site is Missing.

    `identity` is a signed one, `person` whom the caller has proved before: then the conversation is theirs, and the
    token opens all of theirs. A site that takes proved persons only raises Unauthorized for anybody else.
    """
    services.limits.new_conversation(address=address)
    token = new_token(services, once)

    async def work(repo: Repository) -> Answer:
        site = await enabled(repo, site_key)
        owner = await admitted(repo, site, identity, person)
        conversation_id = new_id(CONVERSATION)
        pack = services.packs.begun(site, conversation_id)
        spoken = pack.locale_for(locale, services.locales(pack))
        own = {"token": token} if owner is None else {"subject": owner.subject}
        await repo.conversations.open(site.key, spoken, pack.name, pack.version, id=conversation_id, **own)
        prefix = CUSTOMER_TOKEN
        if owner is not None:
            await repo.persons.begin(owner, token)
            prefix = PERSON_TOKEN
        return {"id": conversation_id, "greeting": pack.greeting_for(spoken).text, "prefix": prefix}

    answer = await write(services.store, once, work)
    return Opened(answer["id"], answer.get("prefix", CUSTOMER_TOKEN) + token, answer["greeting"])


def new_token(services: Services, once: Once | None) -> str:
    """A token without its prefix.

    A repeated call is given the same one although the store does not hold it: it is derived from the key.
    """
    return once.secret("conversation token", services.secret) if once else secrets.token_urlsafe(32)


async def enabled(repo: Repository, key: str) -> Site:
    """Raises Missing."""
    site = await repo.sites.get(key)
    if site is None or not site.enabled:
        raise Missing("There is no such site.", field="site")
    return site


async def get(services: Services, principal: Principal, conversation_id: str) -> Conversation:
    async with services.store.read() as repo:
        return await repo.conversations.get(principal, conversation_id)


async def list_own(
    services: Services, customer: Customer, *, limit: int = 50, after: str | None = None
) -> Page[ConversationSummary]:
    """The customer's conversations, newest first."""
    async with services.store.read() as repo:
        found = await repo.conversations.list(customer, limit=limit + 1, after=after)
    return page([ConversationSummary.of(conversation) for conversation in found], limit, "id")


async def post_turn(
    services: Services,
    customer: Customer,
    conversation_id: str,
    *,
    text: str,
    client_turn_id: str,
    address: str,
    traceparent: str | None = None,
) -> Accepted:
    """Store a customer's message and its turn; a repeated `client_turn_id` gets the same answer.

    `traceparent` is the page's own; it is continued because its sender has shown a token.
    """
    async with services.store.read() as repo:
        conversation = await repo.conversations.get(customer, conversation_id)
        overflow_s = _overflow_s(services, await repo.turns.waiting())
        # A message that was taken before the line was full is answered as it was then.
        refused = overflow_s is not None and await repo.turns.posted(conversation_id, client_turn_id) is None
    kept, kept_parent = customer_text(services, text), admit(traceparent, trusted=True)
    if overflow_s is not None and refused and conversation.state != ConversationState.AGENT:
        services.telemetry.metrics.rejected.labels("queue_full").inc()
        told = "Too many messages wait for a reply now; yours was not taken."
        raise TooMany(told, code="queue_full", retry_after_s=min(max(1.0, overflow_s), LATEST_RETRY_S))
    services.limits.message(conversation_id=conversation_id, address=address, site=conversation.site_key)
    async with services.store.begin() as repo:
        conversation = await repo.conversations.get(customer, conversation_id)
        handled = await handoff.without_the_bot(services, conversation, kept)
        accepted = await repo.turns.accept(
            customer,
            conversation_id,
            client_turn_id=client_turn_id,
            text=kept,
            prompt_text=prompt_form(kept),
            body_hash=hashlib.sha256(kept.encode()).hexdigest(),
            traceparent=kept_parent,
            trace_id=trace_id_of(kept_parent),
            stopped_by=handled,
        )
        if handled and not accepted.replay:
            await handoff.handle(services, repo, customer, conversation, handled, kept)
    return accepted


def _overflow_s(services: Services, waiting: int) -> float | None:
    """By how much a turn would wait too long behind the `waiting` ones; None when it would not."""
    line = services.replicas.admission
    wait_s = line.expected_wait_s(waiting)
    return wait_s - line.longest_wait_s if waiting and wait_s > line.longest_wait_s else None


def customer_text(services: Services, text: str) -> str:
    """The text as it is kept; raises Unprocessable when it is too long or nothing visible is in it."""
    limit = services.settings.message_max_chars
    if len(text) > limit:
        told = f"text has {len(text)} characters; at most {limit} are taken."
        raise Unprocessable(told, code="too_long", field="text", limit=limit)
    kept = text.strip()
    if not prompt_form(kept):
        raise Unprocessable(
            f"text is empty; up to {limit} characters are taken.", code="empty", field="text", limit=limit
        )
    return kept


async def stop_turn(services: Services, customer: Customer, conversation_id: str, turn_id: str) -> TurnNow:
    """End a reply where it is; one that is done stays as it is, also while its part for the staff is written."""
    async with services.store.begin() as repo:
        state = await repo.turns.stop(customer, conversation_id, turn_id)
        is_asked = (await repo.turns.get(customer, turn_id)).stop_requested
    if is_asked:
        services.runner.stop_turn(turn_id)
    return TurnNow(turn_id=turn_id, state=state)


async def retry_turn(services: Services, customer: Customer, conversation_id: str, turn_id: str) -> TurnNow:
    """Answer the newest turn again after it failed or was stopped."""
    async with services.store.begin() as repo:
        state = await repo.turns.retry(customer, conversation_id, turn_id)
    return TurnNow(turn_id=turn_id, state=state)


async def messages(
    services: Services, principal: Principal, conversation_id: str, *, limit: int = 100, after: int = 0
) -> Page[MessageOut]:
    """The transcript in order of `seq`."""
    async with services.store.read() as repo:
        found = await repo.messages.list(principal, conversation_id, after=after, limit=limit + 1)
    return page([MessageOut.of(message) for message in found], limit, "seq")


async def request_handoff(
    services: Services, customer: Customer, conversation_id: str, *, once: Once | None = None
) -> Answer:
    """Ask for a person; asking twice changes nothing."""

    async def work(repo: Repository) -> Answer:
        conversation = await handoff.request(services, repo, customer, conversation_id)
        return {"id": conversation_id, "state": conversation.state}

    return await write(services.store, once, work, about=conversation_id)


async def close(services: Services, principal: Principal, conversation_id: str, *, once: Once | None = None) -> Answer:
    async def work(repo: Repository) -> Answer:
        conversation = await repo.conversations.get(principal, conversation_id)
        if conversation.state != ConversationState.CLOSED:
            await notify(services, repo, conversation, Notice.CLOSED)
            conversation = await repo.conversations.close(principal, conversation_id)
        return {"id": conversation_id, "state": conversation.state}

    return await write(services.store, once, work, about=conversation_id)


async def export(services: Services, principal: Principal, conversation_id: str) -> dict[str, Any]:
    """Everything that is held of the conversation."""
    async with services.store.read() as repo:
        return await repo.conversations.export(principal, conversation_id)


async def delete(services: Services, principal: Principal, conversation_id: str) -> None:
    """Remove the conversation, everything that belongs to it, and its traces."""
    async with services.store.begin() as repo:
        held = await repo.conversations.export(principal, conversation_id)
        await repo.conversations.delete(principal, conversation_id)
    await services.telemetry.forget([turn["trace_id"] for turn in held["turns"] if turn["trace_id"]])


async def typing(services: Services, principal: Principal, conversation_id: str) -> None:
    """Tell the other side that somebody writes. More than one a second is dropped."""
    role = Role.CUSTOMER if isinstance(principal, Customer) else Role.AGENT
    if services.limits.allows_typing(conversation_id, role):
        async with services.store.begin() as repo:
            await repo.conversations.typing(principal, conversation_id, role)
        if role is Role.CUSTOMER:
            services.think_time.expect(conversation_id)


async def painted(services: Services, customer: Customer, conversation_id: str, seen: Painted) -> None:
    """Put what the page saw into the turn's trace, as a span that begins with the turn's acceptance."""
    async with services.store.read() as repo:
        turn = await repo.turns.get(customer, seen.turn_id)
    if turn.conversation_id != conversation_id:
        raise Missing
    if turn.traceparent is None:
        return
    waited_ms = seen.first_text_ms
    if waited_ms is None:
        waited_ms = max(0.0, (datetime.now(UTC) - turn.created_at).total_seconds() * 1e3)
    start_ns = int(turn.created_at.timestamp() * 1e9)
    parent, end_ns = turn_parent(turn.traceparent, turn.id), start_ns + int(waited_ms * 1e6)
    attributes = {CONVERSATION_ID: conversation_id, PAINT_MS: waited_ms}
    services.telemetry.record(PAINT, parent, start_ns, end_ns, attributes)
