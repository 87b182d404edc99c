"""The outermost ASGI layer: a trace id for every request, the safe headers on every response, a floor under faults."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat.envelopes import envelope
from chat.problems import from_crash
from telemetry.propagation import restart

log = structlog.get_logger(__name__)

API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Gradio's page is built from inline scripts and styles and compiles templates at run time.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_BARE_PATHS = ("/api/", "/v1/", "/livez", "/readyz", "/metrics")


class Edge:
    """Wraps the whole application.

    A route may set its own Content-Security-Policy, Cross-Origin-Opener-Policy or Cache-Control (the widget's frame
    has to be framed somewhere, the side panel's sign-in answers the window that opened it); every other header below
    is the same on all responses, errors included.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id = restart().trace_id
        scope.setdefault("state", {})["trace_id"] = trace_id
        bare = scope["path"].startswith(_BARE_PATHS)
        # No id holds a NUL, and PostgreSQL takes none.
        scope["path"] = scope["path"].replace("\0", "\ufffd")
        started = False

        async def send_safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _secure(MutableHeaders(scope=message), bare)
            await send(message)

        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            try:
                await self.app(scope, receive, send_safely)
            except Exception as error:
                log.exception("request_failed")
                if not started:
                    await envelope(from_crash(error), scope)(scope, receive, send_safely)


def _secure(headers: MutableHeaders, bare: bool) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", API_POLICY if bare else PAGE_POLICY)
    if bare:
        headers["Cache-Control"] = "no-store"
