"""The session's secret in the browser, and what a call that relies on it has to show.

The cookie is HttpOnly and SameSite=Strict. A browser also sends it along with what other pages of the same site make
it ask, so a call that changes something needs a header that no form can send and no foreign script may, and an
`Origin` that is ours.
"""

from urllib.parse import urlsplit

from fastapi import Request, Response

from chat.errors import Forbidden
from chat.settings import Settings

CALL_HEADER = "X-Pindesk"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(settings: Settings) -> str:
    """`__Host-` where the server is reached by HTTPS: no other host and no plain page can then plant one."""
    return "__Host-pindesk" if _is_secure(settings) else "pindesk"


def session_of(request: Request, settings: Settings) -> str | None:
    """The session's secret that came as a cookie. Raises Forbidden when the call may come from another page."""
    secret = request.cookies.get(cookie_name(settings))
    if secret and request.method not in _SAFE:
        refuse_foreign(request, settings)
    return secret


def refuse_foreign(request: Request, settings: Settings) -> None:
    """Raises Forbidden unless one of our own pages made the call."""
    origin, host = request.headers.get("origin"), request.headers.get("host")
    own = origin is None or urlsplit(origin).netloc == host or origin == _public_origin(settings)
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    if CALL_HEADER not in request.headers or not own or fetched not in ("same-origin", "none"):
        told = f"A call with a session's cookie comes from our own pages and carries the header {CALL_HEADER}."
        raise Forbidden(told, code="foreign_origin")


def keep(response: Response, settings: Settings, secret: str) -> None:
    """Give the browser the secret; how long it counts is the server's matter."""
    response.set_cookie(
        cookie_name(settings),
        secret,
        max_age=int(settings.session_longest.total_seconds()),
        secure=_is_secure(settings),
        httponly=True,
        samesite="strict",
    )


def forget(response: Response, settings: Settings) -> None:
    response.delete_cookie(cookie_name(settings), secure=_is_secure(settings), httponly=True, samesite="strict")


def _is_secure(settings: Settings) -> bool:
    return (settings.public_url or "").startswith("https://")


def _public_origin(settings: Settings) -> str | None:
    if settings.public_url is None:
        return None
    parts = urlsplit(settings.public_url)
    return f"{parts.scheme}://{parts.netloc}"
