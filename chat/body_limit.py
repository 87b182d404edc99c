"""How much a request may carry. Starlette's own limit answers in plain text, ours in the error envelope."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat.envelopes import envelope
from chat.problems import from_http


class BodyLimit:
    """Answers 413 to a body of more than `max_bytes`: at once where its length is declared, else when it is read."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > self.max_bytes:
            await envelope(from_http(self._too_large()), scope)(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.max_bytes:
                raise self._too_large()
            return message

        await self.app(scope, receive_counted, send)

    def _too_large(self) -> HTTPException:
        # FastAPI turns every other exception that comes out of reading a body into a 400.
        return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {self.max_bytes} bytes are taken.")
