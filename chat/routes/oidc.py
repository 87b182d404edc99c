"""The way to the identity provider and back. These are pages, not calls: the browser itself goes there."""

from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse

from chat.errors import ApiError, Missing
from chat.services import Services, services_of
from chat.signin import cookie, sessions
from chat.signin.landing import Landing
from chat.signin.oidc import COOKIE, SEAL_S, Way

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/agent/oidc", include_in_schema=False)
With = Annotated[Services, Depends(services_of)]
CALLBACK = "/agent/oidc/callback"


@router.get("")
async def begin(
    request: Request, services: With, popup: bool = False, next: Landing = Landing.AGENT
) -> RedirectResponse:
    if not services.oidc.is_configured:
        raise Missing("No identity provider is configured.")
    way = Way(popup, next)
    try:
        url, sealed = await services.oidc.begin(_root(request, services) + CALLBACK, way)
    except ApiError as error:
        return _back(request, services, way, error.code)
    answer = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    # Lax, because the way back begins on the provider's page.
    secure = url.startswith("https://") and request.url.scheme == "https"
    answer.set_cookie(COOKIE, sealed, max_age=SEAL_S, path=CALLBACK, httponly=True, secure=secure, samesite="lax")
    return answer


@router.get("/callback")
async def callback(
    request: Request,
    services: With,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> RedirectResponse:
    address, way = services.proxies.client_address(request.scope), Way()
    try:
        identity, way = await services.oidc.finish(state, code, request.cookies.get(COOKIE, ""))
        secret = await sessions.by_identity(services, identity.subject, identity.email, address=address)
    except ApiError as error:
        log.info("sign_in_refused", code=error.code)
        return _back(request, services, way, error.code)
    answer = _back(request, services, way)
    cookie.keep(answer, services.settings, secret)
    return answer


def _back(request: Request, services: Services, way: Way, code: str | None = None) -> RedirectResponse:
    """To the page that was wanted, to the popup's end, or to the sign-in page with what went wrong."""
    page = f"/{way.next}" if code is None and not way.popup else "/agent/login"
    further = {"popup": "1" if way.popup else None, "error": code}
    if page == "/agent/login" and way.next is not Landing.AGENT:
        further["next"] = way.next
    asked = [f"{name}={value}" for name, value in further.items() if value]
    answer = RedirectResponse(_root(request, services) + page + ("?" + "&".join(asked) if asked else ""), 303)
    answer.delete_cookie(COOKIE, path=CALLBACK)
    return answer


def _root(request: Request, services: Services) -> str:
    return services.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
