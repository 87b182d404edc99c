"""Every refusal of the HTTP API, and the one place that turns them into `application/problem+json` (RFC 9457).

ApiError                a refusal; carries status, stable code and words
    Unauthorized        no credential, or one that nobody knows
    Forbidden           a known caller without the scope that the call needs
    Missing             nothing there for this caller, whether or not it exists for another one
    Refused             the request contradicts the state of things
    Unprocessable       a field of the request cannot be used
    TooMany             a limit is reached; says when to come back
    Away                a part that the call needs is not there now
"""

import math
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

PROBLEM_JSON = "application/problem+json"


class ApiError(Exception):
    """A refusal: `code` is stable snake_case, `field` the request's field at fault, `more` further members."""

    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    code: str = "bad_request"

    def __init__(self, detail: str, *, code: str | None = None, field: str | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.field = field
        self.more = more
        self.headers: dict[str, str] = {}


class Unauthorized(ApiError):
    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"

    def __init__(
        self, detail: str = "This call needs a valid token or key in the Authorization header.", **more: Any
    ) -> None:
        super().__init__(detail, **more)
        self.headers["WWW-Authenticate"] = "Bearer"


class Forbidden(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class Missing(ApiError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"

    def __init__(self, detail: str = "There is nothing at this address for you.", **more: Any) -> None:
        super().__init__(detail, **more)


class Refused(ApiError):
    status = HTTPStatus.CONFLICT
    code = "conflict"


class Unprocessable(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_field"


class TooMany(ApiError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after_s: float, **more: Any) -> None:
        super().__init__(detail, **more)
        self.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))


class Away(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"

    def __init__(self, detail: str, *, retry_after_s: float = 2, **more: Any) -> None:
        super().__init__(detail, **more)
        self.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))


def problem(error: ApiError, trace_id: str | None) -> JSONResponse:
    """The error's envelope: `type, title, status, code, detail, trace_id` and `field` where one is at fault."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.status.phrase,
        "status": error.status.value,
        "code": error.code,
        "detail": error.detail,
        "trace_id": trace_id,
    }
    if error.field is not None:
        body["field"] = error.field
    return JSONResponse(body | error.more, status_code=error.status, headers=error.headers, media_type=PROBLEM_JSON)
