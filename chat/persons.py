"""Customers whom their website has signed for: one proof becomes a token that is good on every device."""

from chat.conversations import enabled, new_token
from chat.idempotency import Answer, Once, write
from chat.identity import prove
from chat.services import Services
from sessions import Customer, Repository
from sessions.identifiers import PERSON_TOKEN


async def begin_session(services: Services, site_key: str, identity: str, *, address: str) -> str:
    """The token of a person whom the website has signed for; it opens all their conversations on the site."""
    services.limits.proof(address=address)
    async with services.store.begin() as repo:
        site = await enabled(repo, site_key)
        return await repo.persons.begin(await prove(repo, site, identity))


async def identify(
    services: Services,
    customer: Customer,
    conversation_id: str,
    identity: str,
    *,
    address: str,
    once: Once | None = None,
) -> Answer:
    """Give a conversation to the person whom the website has signed for.

    The token with which it was begun opens nothing any more; the answer's token opens all of the person's.
    """
    services.limits.proof(address=address)
    token = new_token(services, once)

    async def work(repo: Repository) -> Answer:
        conversation = await repo.conversations.get(customer, conversation_id)
        person = await prove(repo, await enabled(repo, conversation.site_key), identity)
        await repo.persons.attach(customer, conversation_id, person)
        await repo.persons.begin(person, token)
        return {"id": conversation_id}

    return await write(services.store, once, work) | {"token": PERSON_TOKEN + token}
