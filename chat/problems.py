"""The handlers that turn whatever ends a request early into one error envelope."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chat.envelopes import envelope
from chat.errors import ApiError, Away, Missing, Refused, Unprocessable
from chat.packs import UnknownPack
from sessions import Conflict, NotFound, ReplayMismatch, StoreError, Unavailable

log = structlog.get_logger(__name__)

_CODES = {
    "extra_forbidden": "unknown_field",
    "missing": "missing_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_pattern_mismatch": "invalid_field",
    "json_invalid": "invalid_json",
}
_LIMITS = ("max_length", "min_length", "le", "ge", "lt", "gt")

Handler = Callable[[Request, Exception], Awaitable[Response]]


def install(app: Starlette) -> None:
    """Give `app` the handlers; a mounted application needs its own call."""
    for kind, translate in (
        (ApiError, lambda error: error),
        (StoreError, from_store),
        (UnknownPack, from_unknown_pack),
        (RequestValidationError, from_validation),
        (HTTPException, from_http),
        (Exception, from_crash),
    ):
        app.add_exception_handler(kind, _handler(translate))


def _handler(translate: Callable[[Any], ApiError]) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        return envelope(translate(error), request.scope)

    return handle


def from_store(error: StoreError) -> ApiError:
    """The store's errors as the caller may know them."""
    match error:
        case NotFound():
            return Missing()
        case Conflict():
            return Refused(str(error), code=error.code)
        case ReplayMismatch():
            return replay_mismatch("client_turn_id")
        case Unavailable():
            return Away("The database does not answer; nothing was stored. Try again.", code="store_unavailable")
    return from_crash(error)


def from_unknown_pack(error: UnknownPack) -> ApiError:
    """A site whose pack was never there: the operator's mistake, which the log names."""
    log.error("pack_missing", detail=str(error))
    return Away("This site cannot answer now.", code="pack_missing", retry_after_s=60)


def replay_mismatch(field: str) -> ApiError:
    """The same client-made id came with another body."""
    return Unprocessable(f"{field} was used before with another body.", code="replay_mismatch", field=field)


def from_validation(error: RequestValidationError) -> ApiError:
    """The first fault of a request, without repeating what the caller sent."""
    fault = error.errors()[0]
    code = _CODES.get(fault["type"], "invalid_field")
    if code == "invalid_json":
        return ApiError("The body is not JSON.", code=code)
    context = fault.get("ctx") or {}
    limit = next((context[name] for name in _LIMITS if name in context), None)
    more = {} if limit is None else {"limit": limit}
    field = _field(fault["loc"])
    if field is None:
        return Unprocessable("This call takes a JSON object.", code="invalid_body")
    return Unprocessable(f"{field}: {fault['msg']}.", code=code, field=field, **more)


def _field(location: Sequence[int | str]) -> str | None:
    """`("body", "slots", 0)` -> `slots.0`; the place (body, query, header, path) is left out."""
    return ".".join(str(part) for part in location[1:]) or None


def from_http(error: HTTPException) -> ApiError:
    """Starlette's own refusals: unknown address, wrong method, body too large."""
    status = HTTPStatus(error.status_code)
    refusal = ApiError(str(error.detail), code=status.phrase.lower().replace(" ", "_").replace("-", "_"))
    refusal.status = status
    refusal.headers.update(error.headers or {})
    return refusal


def from_crash(error: Exception) -> ApiError:
    """A fault of ours: `Edge` logs it, the caller learns no more than that."""
    refusal = ApiError("Something went wrong on our side.", code="internal_error")
    refusal.status = HTTPStatus.INTERNAL_SERVER_ERROR
    return refusal
