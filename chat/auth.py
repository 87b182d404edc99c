"""Who calls: a credential or a session becomes a principal, and each route names the principals that it serves."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from chat.errors import Forbidden, Unauthorized
from chat.identity import audience, prove
from chat.services import Services, services_of
from chat.settings import Settings
from chat.signin.cookie import session_of
from chat.signin.sessions import staff_of
from sessions import Customer, Person, Principal, Scope, Staff
from sessions.identifiers import CUSTOMER_TOKEN, PERSON_TOKEN, STAFF_SESSION

MAX_CREDENTIALS = 100
_CUSTOMERS = (CUSTOMER_TOKEN, PERSON_TOKEN)


def bearer(request: Request) -> list[str]:
    """The credentials of `Authorization: Bearer`, several where a customer lists several conversations' tokens."""
    written = [value for value in request.headers.getlist("authorization") if value[:7].lower() == "bearer "]
    listed = [token.strip() for value in written for token in value[7:].split(",") if token.strip()]
    return listed[:MAX_CREDENTIALS]


def credentials(request: Request, settings: Settings) -> list[str]:
    """What the caller shows: the header's credentials, else the session of one of our own pages.

    Raises Forbidden for a session's cookie on a call that may come from elsewhere.
    """
    shown = bearer(request)
    if shown or "authorization" in request.headers:
        return shown
    session = session_of(request, settings)
    return [session] if session else []


async def identify(services: Services, credentials: list[str]) -> Principal:
    """Raises Unauthorized when no credential is known."""
    tokens = [credential for credential in credentials if credential.startswith(_CUSTOMERS)]
    keys = [credential for credential in credentials if not credential.startswith(_CUSTOMERS)]
    if keys and keys[0].count(".") == 2:
        return await _identified(services, keys[0])
    if keys and (staff := services.keys.staff(keys[0])):
        return staff
    if not credentials:
        raise Unauthorized
    if keys and keys[0].startswith(STAFF_SESSION):
        if staff := await staff_of(services, keys[0]):
            return staff
        raise Unauthorized
    async with services.store.read() as repo:
        found = await repo.conversations.by_tokens(tokens) if tokens else await repo.sites.by_key(keys[0])
    if found is None:
        raise Unauthorized
    return found


async def _identified(services: Services, token: str) -> Customer:
    """Whom a signed identity names. It is used up by this call."""
    async with services.store.begin() as repo:
        site = await repo.sites.get(audience(token) or "")
        if site is None or not site.enabled:
            raise Unauthorized
        return await repo.conversations.of_person(await prove(repo, site, token))


async def _caller(request: Request, services: Annotated[Services, Depends(services_of)]) -> Principal:
    return await identify(services, credentials(request, services.settings))


async def _customer(caller: Annotated[Principal, Depends(_caller)]) -> Customer:
    if not isinstance(caller, Customer):
        raise Forbidden("This call takes the conversation's own token.")
    return caller


async def _unproved(request: Request, services: Annotated[Services, Depends(services_of)]) -> Customer:
    tokens = [credential for credential in bearer(request) if credential.startswith(_CUSTOMERS)]
    async with services.store.read() as repo:
        found = await repo.conversations.by_tokens(tokens, unproved=True)
    if found is None:
        raise Unauthorized
    return found


async def _person(request: Request, services: Annotated[Services, Depends(services_of)]) -> Person | None:
    if not any(credential.startswith(PERSON_TOKEN) for credential in bearer(request)):
        return None
    found = await _unproved(request, services)
    if found.person is None:
        raise Unauthorized
    return found.person


async def _participant(caller: Annotated[Principal, Depends(_caller)]) -> Principal:
    return caller if isinstance(caller, Customer) else require(caller, Scope.AGENT)


async def _some_staff(caller: Annotated[Principal, Depends(_caller)]) -> Staff:
    if not isinstance(caller, Staff):
        raise Forbidden("This call takes an account or a key of the staff.")
    return caller


def require(caller: Principal, scope: Scope) -> Staff:
    """Raises Forbidden when the caller is not staff with the scope."""
    if not isinstance(caller, Staff) or scope not in caller.scopes:
        raise Forbidden(f"This call needs a key or an account with scope {scope.value}.", scope=scope.value)
    return caller


def _with(scope: Scope) -> Callable[[Principal], Awaitable[Staff]]:
    async def staff(caller: Annotated[Principal, Depends(_caller)]) -> Staff:
        return require(caller, scope)

    return staff


OfConversation = Annotated[Customer, Depends(_customer)]
"""The customer alone: whoever speaks in the customer's name."""

BeforeProof = Annotated[Customer, Depends(_unproved)]
"""The customer, on a site that takes proved persons only, who is about to be one."""

AsPerson = Annotated[Person | None, Depends(_person)]
"""Whom the caller has proved to be, None for anybody."""

InConversation = Annotated[Principal, Depends(_participant)]
"""The customer, or an agent of the site."""

Agent = Annotated[Staff, Depends(_with(Scope.AGENT))]
Operator = Annotated[Staff, Depends(_with(Scope.OPERATOR))]

SomeStaff = Annotated[Staff, Depends(_some_staff)]
"""Anybody of the staff, whatever they may do."""
