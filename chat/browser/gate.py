"""Lets through the few of Gradio's routes that the page needs.

Gradio also serves uploads, a file route, a proxy, its API's description and deep links. None is of use here, so none
is reachable.
"""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_PAGES = frozenset({"/", "/config", "/theme.css", "/favicon.ico", "/manifest.json"})
_CALLS = frozenset(
    f"/gradio_api/{name}"
    for name in ("queue/join", "queue/data", "component_server", "cancel", "reset", "app_id", "startup-events")
)
_FOLDERS = ("/assets/", "/static/", "/svelte/")


class Gate:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _needed(_path(scope)):
            await self.app(scope, receive, send)
            return
        await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)


def _path(scope: Scope) -> str:
    """The path below the mount."""
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"


def _needed(path: str) -> bool:
    return path in _PAGES or path.rstrip("/") in _CALLS or (path.startswith(_FOLDERS) and ".." not in path)
