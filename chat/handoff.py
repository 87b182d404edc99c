"""How a conversation comes to a human: asked for by its customer, called by the bot, or offered once.

Whoever asks is passed on at once. When nobody of the staff is there, that is said, and a message can be left.
"""

from collections.abc import Sequence
from enum import StrEnum

from chat.errors import Unprocessable
from chat.idempotency import Answer, Once, write
from chat.notices import notify
from chat.presence import away
from chat.services import Services
from prompts import Kind, Notice, Pack, Slot, SlotType, candidates, prompt_form
from sessions import (
    Action,
    Away,
    Claim,
    Conversation,
    ConversationState,
    Customer,
    Replied,
    Repository,
    Sentiment,
    Server,
)

LOOP = 3
"""Replies by one template in a row that mean that it does not help, unless the newest says something new."""


class OfferReason(StrEnum):
    """Why the bot offers a human."""

    ANGER = "anger"
    LOOP = "loop"


class Handled(StrEnum):
    """What is done with a customer's message in place of the bot's reply; the reason on its `turn.stopped`."""

    CALL = "handoff"
    LEAVING = "leaving"
    LEFT = "left"


async def request(services: Services, repo: Repository, customer: Customer, conversation_id: str) -> Conversation:
    """The customer asks for a human; asking again changes nothing. Raises NotFound, Conflict."""
    before = await repo.conversations.get(customer, conversation_id)
    if before.state != ConversationState.BOT:
        return await repo.conversations.request_handoff(customer, conversation_id)
    missing = await away(services, repo, before, await _pack(services, before))
    conversation = await repo.conversations.request_handoff(customer, conversation_id, missing)
    services.telemetry.metrics.handoffs.labels("human_requested").inc()
    if missing is None or not await _say_away(services, repo, conversation):
        await notify(services, repo, conversation, Notice.HANDOFF_REQUESTED)
    return conversation


async def without_the_bot(services: Services, conversation: Conversation, text: str) -> Handled | None:
    """What a customer's message is when no model has to read it: an answer to our offers, a message for the staff."""
    pack = await _pack(services, conversation)
    if conversation.state == ConversationState.BOT and _answers(pack, Notice.HANDOFF_OFFER, conversation, text):
        return Handled.CALL
    if conversation.state != ConversationState.WAITING:
        return None
    if conversation.leaving:
        return Handled.LEFT
    wants = _answers(pack, Notice.HANDOFF_AWAY, conversation, text) and pack.has_notice(Notice.MESSAGE_WANTED)
    return Handled.LEAVING if wants else None


async def handle(
    services: Services, repo: Repository, customer: Customer, conversation: Conversation, handled: Handled, text: str
) -> None:
    """Do what such a message asks for, in the transaction that stores it."""
    match handled:
        case Handled.CALL:
            await request(services, repo, customer, conversation.id)
        case Handled.LEAVING:
            await repo.conversations.await_message(customer, conversation.id)
            await notify(services, repo, conversation, Notice.MESSAGE_WANTED)
        case Handled.LEFT:
            await repo.conversations.message_left(customer, conversation.id, _reach(text))
            await _thank(services, repo, conversation)


def _answers(pack: Pack, notice: Notice, conversation: Conversation, text: str) -> bool:
    return pack.has_notice(notice) and text in pack.notice(notice, conversation.locale).quick_replies


def _reach(text: str) -> str | None:
    """How the customer says to be reached: the first mail address or telephone number of a message."""
    slots = (Slot(name="reach", type=SlotType.COPIED, kind=kind) for kind in (Kind.EMAIL, Kind.PHONE))
    return next((found[0] for slot in slots if (found := candidates(slot, [text]))), None)


async def _thank(services: Services, repo: Repository, conversation: Conversation) -> None:
    if (await _pack(services, conversation)).has_notice(Notice.MESSAGE_LEFT):
        await notify(services, repo, conversation, Notice.MESSAGE_LEFT)


async def missing_for(services: Services, repo: Repository, claim: Claim, action: Action) -> Away | None:
    """Why no human will answer when the bot's reply now calls one; None when one is there or none is called."""
    if action != Action.HANDOFF:
        return None
    conversation = await repo.conversations.get(Server(), claim.conversation_id)
    if conversation.state != ConversationState.BOT:
        return None
    return await away(services, repo, conversation, await _pack(services, conversation))


async def called(services: Services, repo: Repository, claim: Claim, missing: Away | None) -> None:
    """The bot has called a human: say it when none is there. In the transaction of the reply."""
    if missing is not None:
        await _say_away(services, repo, await repo.conversations.get(Server(), claim.conversation_id))


async def offer(services: Services, repo: Repository, claim: Claim, pack: Pack) -> None:
    """Offer a human if the conversation goes badly, once. In the transaction that ends the turn."""
    if not pack.has_notice(Notice.HANDOFF_OFFER):
        return
    reason = offer_reason(await repo.turns.course(claim, LOOP))
    if reason is None:
        return
    words = pack.notice(Notice.HANDOFF_OFFER, claim.locale)
    offered = await repo.conversations.offer_handoff(
        Server(), claim.conversation_id, words.text, list(words.quick_replies)
    )
    if offered:
        services.telemetry.metrics.handoff_offers.labels(reason.value).inc()


def offer_reason(course: Sequence[Replied]) -> OfferReason | None:
    """Why to offer a human after the newest of these replies, oldest first; None if there is no reason. Pure."""
    if not course or course[-1].action == Action.HANDOFF:
        return None
    if course[-1].sentiment == Sentiment.ANGRY:
        return OfferReason.ANGER
    if [each.sentiment for each in course[-2:]] == [Sentiment.NEGATIVE] * 2 and course[-1].action == Action.CLARIFY:
        return OfferReason.ANGER
    newest = course[-LOOP:]
    if len(newest) == LOOP and len({each.template for each in newest}) == 1 and newest[-1].text == newest[-2].text:
        return OfferReason.LOOP
    return None


async def leave_message(
    services: Services,
    customer: Customer,
    conversation_id: str,
    text: str,
    contact: str | None,
    *,
    once: Once | None = None,
) -> Answer:
    """A message for the humans, which the bot does not answer. Raises NotFound, Conflict, Unprocessable."""
    kept, limit = text.strip(), services.settings.message_max_chars
    if len(kept) > limit or not prompt_form(kept):
        code = "too_long" if kept else "empty"
        raise Unprocessable(f"text must have 1 to {limit} characters.", code=code, field="text", limit=limit)

    async def work(repo: Repository) -> Answer:
        reach = contact.strip() if contact else None
        line = await repo.conversations.leave(customer, conversation_id, kept, prompt_form(kept), reach or None)
        await _thank(services, repo, await repo.conversations.get(customer, conversation_id))
        return line.wire()

    return await write(services.store, once, work, about=conversation_id)


async def _say_away(services: Services, repo: Repository, conversation: Conversation) -> bool:
    """Say that nobody is there; False where the pack has no words for it."""
    if not (await _pack(services, conversation)).has_notice(Notice.HANDOFF_AWAY):
        return False
    await notify(services, repo, conversation, Notice.HANDOFF_AWAY)
    return True


async def _pack(services: Services, conversation: Conversation) -> Pack:
    return await services.packs.get(conversation.pack, conversation.pack_version)
