"""Help with one of our own conversations, and what became of it."""

from dataclasses import asdict

from chat.assist.brief import Brief, brief_of
from chat.assist.suggesting import suggestions
from chat.assist.summing import SummedUp, summed_up
from chat.idempotency import Answer, Once, write
from chat.services import Services
from chat.staff import promises
from chat.turns.folding import told_turn
from prompts import FilledReply
from sessions import Repository, Staff, Suggestion, SuggestionOutcome, TemplateOutcomes
from sessions.identifiers import SUGGESTION, new_id


async def suggest(services: Services, agent: Staff, conversation_id: str, *, once: Once | None = None) -> Answer:
    """Up to three replies to the customer's last message.

    Raises NotFound, Away, and Conflict `suggestion_overtaken` when somebody has spoken meanwhile: ask again then.
    """
    brief = await _brief(services, agent, conversation_id)
    found = await suggestions(services, brief)

    async def work(repo: Repository) -> Answer:
        return {"data": await offered(services, repo, agent, brief, found), "next": None}

    return await write(services.store, once, work, about=conversation_id)


async def offered(
    services: Services, repo: Repository, agent: Staff, brief: Brief, found: list[FilledReply]
) -> list[Answer]:
    """Store what the agent is shown, and how it is shown."""
    rows = [_row(brief, reply) for reply in found]
    withdrawn = await repo.suggestions.offer(agent, brief.conversation_id, brief.base_seq, rows)
    count(services, SuggestionOutcome.WITHDRAWN, withdrawn)
    for row in rows:
        services.telemetry.metrics.suggestions.labels("shown", row.site_key, row.template).inc()
    return [
        {"id": row.id, "text": row.content, "template": row.template, "slots": row.slots, "base_seq": row.base_seq}
        for row in rows
    ]


async def sum_up(services: Services, agent: Staff, conversation_id: str) -> SummedUp:
    """Demand, facts, promises, open questions. Raises NotFound."""
    brief = await _brief(services, agent, conversation_id)
    async with services.store.read() as repo:
        conversation = await repo.conversations.get(agent, conversation_id)
        told = [told_turn(turn) for turn in await repo.folds.told(conversation_id)]
        made = promises(brief.pack, await repo.messages.details(agent, conversation_id))
    return await summed_up(
        services,
        brief,
        told,
        [each.text for each in made],
        demand=conversation.demand,
        sentiment=conversation.sentiment,
    )


async def decide(services: Services, agent: Staff, suggestion_id: str, said: str | None) -> str:
    """What became of a suggestion: rejected, or said as it was or edited. Raises NotFound. Returns what is kept."""
    async with services.store.begin() as repo:
        before, suggestion = await repo.suggestions.decide(agent, suggestion_id, said)
    if before is None:
        count(services, SuggestionOutcome(suggestion.outcome), [suggestion])
    return suggestion.outcome


async def outcomes(services: Services, operator: Staff, site: str | None) -> list[TemplateOutcomes]:
    """What agents make of each template's suggestions."""
    async with services.store.read() as repo:
        return await repo.suggestions.by_template(operator, site=site)


def count(services: Services, outcome: SuggestionOutcome, suggestions: list[Suggestion]) -> None:
    for each in suggestions:
        services.telemetry.metrics.suggestions.labels(outcome.value, each.site_key, each.template).inc()


async def _brief(services: Services, agent: Staff, conversation_id: str) -> Brief:
    async with services.store.read() as repo:
        conversation = await repo.conversations.get(agent, conversation_id)
        said = await repo.turns.said(agent, conversation_id)
        return await brief_of(services, repo, conversation, said)


def _row(brief: Brief, reply: FilledReply) -> Suggestion:
    return Suggestion(
        id=new_id(SUGGESTION),
        conversation_id=brief.conversation_id,
        site_key=brief.site_key,
        pack=brief.pack.name,
        pack_version=brief.pack.version,
        template=reply.template,
        slots={name: asdict(slot) for name, slot in reply.slots.items()},
        content=reply.text,
        base_seq=brief.base_seq,
    )
