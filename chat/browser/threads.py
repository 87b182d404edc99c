"""The visitor's conversations as the page lists them."""

from collections.abc import Sequence
from typing import Any

from chat.services import Services
from sessions import Conversation, Customer, Repository, Role

LONGEST_TITLE = 80
_LOOKED_AT = 5
_MOST = 50


async def threads_of(services: Services, tokens: Sequence[str]) -> list[dict[str, Any]]:
    """Newest first: `{id, title, state, updated_at}`; the title is how the customer began.

    Tokens that nobody knows are passed over.
    """
    async with services.store.read() as repo:
        customer = await repo.conversations.by_tokens(tokens) if tokens else None
        if customer is None:
            return []
        found = await repo.conversations.list(customer, limit=_MOST)
        return [await _thread(repo, customer, conversation) for conversation in found]


async def _thread(repo: Repository, customer: Customer, conversation: Conversation) -> dict[str, Any]:
    beginning = await repo.messages.list(customer, conversation.id, limit=_LOOKED_AT)
    said = next((message.content for message in beginning if message.role == Role.CUSTOMER), "")
    return {
        "id": conversation.id,
        "title": " ".join(said.split())[:LONGEST_TITLE],
        "state": conversation.state,
        "updated_at": conversation.updated_at.isoformat(),
    }
