"""The shape in which an address tells of a refusal: OpenAI's under `/v1/`, problem+json everywhere else."""

from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import Scope

from chat.errors import ApiError, problem

OPENAI_PREFIX = "/v1/"

_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


def envelope(error: ApiError, scope: Scope) -> JSONResponse:
    """The response to a request that ended early."""
    trace_id = scope.get("state", {}).get("trace_id")
    if not scope["path"].startswith(OPENAI_PREFIX):
        return problem(error, trace_id)
    headers = error.headers | ({"X-Request-Id": trace_id} if trace_id else {})
    return JSONResponse({"error": openai_error(error)}, status_code=error.status, headers=headers)


def openai_error(error: ApiError) -> dict[str, str | None]:
    """The `error` member: `message`, `type`, `param` (the field at fault), `code` (stable snake_case)."""
    fallback = "server_error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    kind = _TYPES.get(error.status, fallback)
    return {"message": error.detail, "type": kind, "param": error.field, "code": error.code}
