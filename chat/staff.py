"""What agents do: read the queue, look into conversations and their traces, take over, write, hand back."""

from collections.abc import Sequence

from chat.errors import Missing, Unprocessable
from chat.idempotency import Answer, Once, write
from chat.masking import for_staff
from chat.notices import notify
from chat.schemas.message import ReplyDetails
from chat.schemas.page import Page, page
from chat.schemas.queue import AgentView, Promise, Queued, QueueSearch, RatingSeen
from chat.schemas.site import TemplateOut
from chat.services import Services
from prompts import Notice, Pack
from sessions import ConversationState, MessageDetails, NotFound, Repository, Role, Staff, Suggestion, Turn
from telemetry.explain import explain
from telemetry.tree import TraceTree


async def queue(
    services: Services, agent: Staff, wanted: QueueSearch, *, limit: int, after: str | None
) -> Page[Queued]:
    """The conversations of the agent's sites that are looked for, newest first."""
    async with services.store.read() as repo:
        found = await repo.conversations.list(agent, search=wanted.by(agent), limit=limit + 1, after=after)
        words = await repo.messages.last_words([conversation.id for conversation in found])
    rows = [for_staff(Queued.of(conversation, words.get(conversation.id))) for conversation in found]
    return page(rows, limit, "id")


async def queued(services: Services, agent: Staff, conversation_id: str) -> Queued | None:
    """A conversation as the queue lists it; None when it is gone."""
    try:
        async with services.store.read() as repo:
            words = await repo.messages.last_words([conversation_id])
            conversation = await repo.conversations.get(agent, conversation_id)
            return for_staff(Queued.of(conversation, words.get(conversation_id)))
    except NotFound:
        return None


async def view(services: Services, agent: Staff, conversation_id: str) -> AgentView:
    """The transcript with all that is known of the making of each reply."""
    async with services.store.read() as repo:
        conversation = await repo.conversations.get(agent, conversation_id)
        messages = await repo.messages.details(agent, conversation_id)
        rating = await repo.conversations.rating(agent, conversation_id)
    services.think_time.expect(conversation_id)
    pack = await services.packs.get(conversation.pack, conversation.pack_version)
    fields = conversation.model_dump(include=AgentView.model_fields.keys() - {"site", "rating", "promises", "messages"})
    seen = AgentView(
        **fields,
        site=conversation.site_key,
        rating=rating and RatingSeen(score=rating.score, comment=rating.comment),
        promises=promises(pack, messages),
        messages=[ReplyDetails.of(message) for message in messages],
    )
    return for_staff(seen)


def promises(pack: Pack, messages: Sequence[MessageDetails]) -> list[Promise]:
    """The replies that commit us to something: a template with a promise, once one of its slots has a value.

    What was promised again in the same words is listed where it was first.
    """
    made: dict[str, int] = {}
    for each in messages:
        if each.turn and _promises(pack, each.turn):
            made.setdefault(each.message.content, each.message.seq)
    return [Promise(seq=seq, text=text) for text, seq in made.items()]


def _promises(pack: Pack, turn: Turn) -> bool:
    template, slots = pack.templates.get(turn.template or ""), turn.slots or {}
    filled = not slots or any(slot["value"] is not None for slot in slots.values())
    return template is not None and template.promise and filled


async def takeover(services: Services, agent: Staff, conversation_id: str, *, once: Once | None = None) -> Answer:
    """The bot goes silent. Raises Conflict when another agent has the conversation."""

    async def work(repo: Repository) -> Answer:
        conversation = await repo.conversations.get(agent, conversation_id)
        silent = conversation.state == ConversationState.AGENT
        conversation = await repo.conversations.takeover(agent, conversation_id, agent.name)
        if not silent:
            await notify(services, repo, conversation, Notice.AGENT_JOINED)
        return Queued.of(conversation).model_dump(mode="json")

    return await write(services.store, once, work, about=conversation_id)


async def say(
    services: Services,
    agent: Staff,
    conversation_id: str,
    text: str,
    *,
    suggestion: str | None = None,
    once: Once | None = None,
) -> Answer:
    """An agent's line to the customer. `suggestion` is the one that it was made of.

    Raises Conflict `suggestion_overtaken` when somebody has spoken since that was suggested: nothing is sent then.
    """
    kept, decided = agent_text(services, text, "text"), list[Suggestion]()

    async def work(repo: Repository) -> Answer:
        if suggestion is None:
            await repo.conversations.get(agent, conversation_id)
            decided[:] = await repo.suggestions.pass_over(agent, conversation_id)
        else:
            decided[:] = await repo.suggestions.use(agent, conversation_id, suggestion, kept)
        return (await repo.conversations.say(agent, conversation_id, Role.AGENT, kept)).wire()

    answer = await write(services.store, once, work, about=conversation_id)
    for each in decided:
        services.telemetry.metrics.suggestions.labels(each.outcome, each.site_key, each.template).inc()
    return answer


async def handback(
    services: Services, agent: Staff, conversation_id: str, *, note: str | None = None, once: Once | None = None
) -> Answer:
    """The bot answers again; it reads the note, the customer does not."""
    kept = agent_text(services, note, "note") if note and note.strip() else None

    async def work(repo: Repository) -> Answer:
        conversation = await repo.conversations.handback(agent, conversation_id, kept)
        await notify(services, repo, conversation, Notice.AGENT_LEFT)
        return Queued.of(conversation).model_dump(mode="json")

    return await write(services.store, once, work, about=conversation_id)


def agent_text(services: Services, text: str, field: str) -> str:
    """Raises Unprocessable when nothing or too much is written."""
    kept, limit = text.strip(), services.settings.message_max_chars
    if not 1 <= len(kept) <= limit:
        code = "too_long" if kept else "empty"
        raise Unprocessable(f"{field} must have 1 to {limit} characters.", code=code, field=field, limit=limit)
    return kept


async def turn_trace(services: Services, agent: Staff, turn_id: str) -> TraceTree:
    """The turn's tree of spans as far as it has arrived."""
    async with services.store.read() as repo:
        turn = await repo.turns.get(agent, turn_id)
    return await services.telemetry.trace(turn.trace_id, turn_id)


async def turn_explained(services: Services, agent: Staff, turn_id: str) -> list[str]:
    """Where the turn's time went, in sentences."""
    return explain(await turn_trace(services, agent, turn_id))


async def site_templates(services: Services, agent: Staff, key: str) -> list[TemplateOut]:
    """Every approved text of the site's pack, also the notices that the engine cannot choose; no recalled one."""
    if agent.sites is not None and key not in agent.sites:
        raise Missing("There is no such site.")
    async with services.store.read() as repo:
        site = await repo.sites.get(key)
    if site is None:
        raise Missing("There is no such site.")
    pack, recalled = services.packs.named(site.pack), services.packs.recalled(site.pack)
    return [TemplateOut.of(template) for name, template in pack.templates.items() if name not in recalled]
