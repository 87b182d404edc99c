"""What the page can ask for: the same service functions as the HTTP API, called through Gradio's component bridge.

A call carries a token and the customer's words, never the transcript.
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field

from chat import conversations, verdicts
from chat.browser.threads import threads_of
from chat.errors import Missing
from chat.schemas.conversation import Locale
from chat.schemas.request import RequestBody
from chat.schemas.turn import ClientId, Painted
from chat.services import Services
from sessions import Customer

Answer = dict[str, Any]
Name = Annotated[str, Field(min_length=1, max_length=100)]
MOST_TOKENS = 50


class Begin(RequestBody):
    """`tokens` are those of the conversations that this browser has opened."""

    site: Name
    locale: Locale
    tokens: Annotated[list[Name], Field(max_length=MOST_TOKENS)]


class Tokens(RequestBody):
    tokens: Annotated[list[Name], Field(max_length=MOST_TOKENS)]


class Open(RequestBody):
    site: Name
    locale: Locale


class InConversation(RequestBody):
    token: Name
    conversation_id: Name


class Send(InConversation):
    text: str
    client_turn_id: ClientId
    traceparent: Annotated[str | None, Field(max_length=100)] = None


class OfTurn(InConversation):
    turn_id: Name


class Seen(InConversation, Painted):
    """When the reply to a turn came into sight."""


class Vote(InConversation):
    message_id: Name
    value: Literal["up", "down"]


async def begin(services: Services, body: Begin, address: str) -> Answer:
    """Who the shop is, in the visitor's language as far as it speaks it, and what was talked about before."""
    async with services.store.read() as repo:
        site = await repo.sites.get(body.site)
    if site is None or not site.enabled:
        raise Missing("There is no such site.", field="site")
    pack = services.packs.named(site.pack)
    greeting = pack.greeting_for(pack.locale_for(body.locale, services.locales(pack)))
    return {
        "brand": pack.brand,
        "greeting": greeting.text,
        "starters": list(greeting.quick_replies),
        "languages": list(services.locales(pack)),
        "max_chars": services.settings.message_max_chars,
        "conversations": await threads_of(services, body.tokens),
    }


async def list_conversations(services: Services, body: Tokens, address: str) -> Answer:
    return {"conversations": await threads_of(services, body.tokens)}


async def open_conversation(services: Services, body: Open, address: str) -> Answer:
    return asdict(await conversations.open_conversation(services, body.site, locale=body.locale, address=address))


async def send(services: Services, body: Send, address: str) -> Answer:
    accepted = await conversations.post_turn(
        services,
        await _customer(services, body),
        body.conversation_id,
        text=body.text,
        client_turn_id=body.client_turn_id,
        address=address,
        traceparent=body.traceparent,
    )
    return {"turn_id": accepted.turn_id, "seq": accepted.seq}


async def stop(services: Services, body: OfTurn, address: str) -> Answer:
    customer = await _customer(services, body)
    return (await conversations.stop_turn(services, customer, body.conversation_id, body.turn_id)).model_dump()


async def retry(services: Services, body: OfTurn, address: str) -> Answer:
    customer = await _customer(services, body)
    return (await conversations.retry_turn(services, customer, body.conversation_id, body.turn_id)).model_dump()


async def vote(services: Services, body: Vote, address: str) -> Answer:
    return await verdicts.feedback(services, await _customer(services, body), body.message_id, value=body.value)


async def painted(services: Services, body: Seen, address: str) -> Answer:
    seen = Painted.model_validate(body.model_dump(include=set(Painted.model_fields)))
    await conversations.painted(services, await _customer(services, body), body.conversation_id, seen)
    return {}


async def ask_for_human(services: Services, body: InConversation, address: str) -> Answer:
    return await conversations.request_handoff(services, await _customer(services, body), body.conversation_id)


async def _customer(services: Services, body: InConversation) -> Customer:
    """Raises Missing for a token that opens nothing."""
    async with services.store.read() as repo:
        customer = await repo.conversations.by_tokens([body.token])
    if customer is None:
        raise Missing()
    return customer
