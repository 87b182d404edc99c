"""What customers think of what they were told: thumbs for a reply, a rating for the conversation."""

from chat.idempotency import Answer, Once, write
from chat.schemas.conversation import Given, NewRating
from chat.services import Services
from sessions import Customer, Principal, Repository, Thumbs


async def rate(
    services: Services,
    customer: Customer,
    conversation_id: str,
    *,
    score: int,
    comment: str | None = None,
    once: Once | None = None,
) -> Answer:
    """`score` is 1 (worst) to 5; a later rating replaces the earlier one."""

    async def work(repo: Repository) -> Answer:
        await repo.conversations.rate(customer, conversation_id, score, comment)
        return {"score": score, "comment": comment}

    return await write(services.store, once, work, about=conversation_id)


async def feedback(
    services: Services, customer: Customer, message_id: str, *, value: str, once: Once | None = None
) -> Answer:
    """`value` is up or down, for an assistant's message."""
    stored: list[Thumbs] = []

    async def work(repo: Repository) -> Answer:
        stored.append(await repo.conversations.feedback(customer, message_id, value))
        return {"value": value}

    answer = await write(services.store, once, work)
    for thumbs in stored:
        if thumbs.is_news:
            services.telemetry.metrics.feedback.labels(thumbs.value, thumbs.site_key, thumbs.template or "").inc()
    return answer


async def given(services: Services, principal: Principal, conversation_id: str) -> Given:
    """The thumbs and the rating that the customer has given."""
    async with services.store.read() as repo:
        votes = await repo.messages.votes(principal, conversation_id)
        rating = await repo.conversations.rating(principal, conversation_id)
    return Given(votes=votes, rating=rating and NewRating(score=rating.score, comment=rating.comment))
