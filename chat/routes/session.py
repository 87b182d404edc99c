"""Signing in and out. The panel's own pages call this; programs use keys."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from chat.auth import SomeStaff, bearer
from chat.schemas.session import Credentials, PanelToken, SignedIn, Ways
from chat.services import Services, services_of
from chat.signin import cookie, sessions

router = APIRouter(prefix="/session", tags=["session"])
With = Annotated[Services, Depends(services_of)]


@router.get("/ways")
async def ways(services: With) -> Ways:
    """How one can sign in here."""
    return Ways(password=True, oidc=services.settings.oidc_name if services.oidc.is_configured else None)


@router.post("")
async def sign_in(body: Credentials, request: Request, response: Response, services: With) -> SignedIn:
    """Begin a session: its secret comes as a cookie that no script can read."""
    cookie.refuse_foreign(request, services.settings)
    address = services.proxies.client_address(request.scope)
    secret, account = await sessions.sign_in(services, body.login, body.password.get_secret_value(), address=address)
    cookie.keep(response, services.settings, secret)
    return SignedIn(name=account.name, roles=account.roles, sites=account.sites)


@router.get("")
async def session(staff: SomeStaff) -> SignedIn:
    """Who is calling."""
    sites = None if staff.sites is None else sorted(staff.sites)
    return SignedIn(name=staff.name, roles=sorted(staff.scopes), sites=sites)


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
async def sign_out(request: Request, services: With) -> Response:
    """End the session, and the side panels that it signed in."""
    shown = bearer(request)
    secret = shown[0] if shown else cookie.session_of(request, services.settings)
    if secret:
        await sessions.sign_out(services, secret, address=services.proxies.client_address(request.scope))
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    cookie.forget(answer, services.settings)
    return answer


@router.post("/panel")
async def for_side_panel(staff: SomeStaff, request: Request, services: With) -> PanelToken:
    """A token for a side panel inside another page: browsers send it no cookie there."""
    return PanelToken(token=await sessions.for_side_panel(services, cookie.session_of(request, services.settings)))
