"""The way to the identity provider and back. These are pages, not calls: the browser itself goes there."""

from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse

from chat.errors import ApiError, Missing
from chat.services import Services, services_of
from chat.signin import cookie, sessions
from chat.signin.oidc import COOKIE, SEAL_S

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/agent/oidc", include_in_schema=False)
With = Annotated[Services, Depends(services_of)]
CALLBACK = "/agent/oidc/callback"


@router.get("")
async def begin(request: Request, services: With, popup: bool = False) -> RedirectResponse:
    if not services.oidc.is_configured:
        raise Missing("No identity provider is configured.")
    try:
        url, sealed = await services.oidc.begin(_root(request, services) + CALLBACK, popup=popup)
    except ApiError as error:
        return _back(request, services, popup, error.code)
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
    address, popup = services.proxies.client_address(request.scope), False
    try:
        identity, popup = await services.oidc.finish(state, code, request.cookies.get(COOKIE, ""))
        secret = await sessions.by_identity(services, identity.subject, identity.email, address=address)
    except ApiError as error:
        log.info("sign_in_refused", code=error.code)
        return _back(request, services, popup, error.code)
    answer = _back(request, services, popup)
    cookie.keep(answer, services.settings, secret)
    return answer


def _back(request: Request, services: Services, popup: bool, code: str | None = None) -> RedirectResponse:
    """To the panel, to the popup's end, or to the sign-in page with what went wrong."""
    page = "/agent" if code is None and not popup else "/agent/login"
    asked = [*(["popup=1"] if popup else []), *([f"error={code}"] if code else [])]
    answer = RedirectResponse(_root(request, services) + page + ("?" + "&".join(asked) if asked else ""), 303)
    answer.delete_cookie(COOKIE, path=CALLBACK)
    return answer


def _root(request: Request, services: Services) -> str:
    return services.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
