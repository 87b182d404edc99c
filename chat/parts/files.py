"""A page's files, read once and served under a path that changes with their content, compressed where that is taken."""

import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
_COMMENTS = re.compile(r"^\s*(?:/\*.*?\*/[ \t]*\n|//[^\n]*\n)|^\s+", re.MULTILINE | re.DOTALL)
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class File:
    """`packed` is the gzip'd body, the same bytes on every machine."""

    body: bytes
    packed: bytes
    media_type: str

    @classmethod
    def of(cls, body: bytes, suffix: str) -> "File":
        return cls(body, gzip.compress(body, 9, mtime=0), _TYPES[suffix])

    def response(self, request: Headers, **headers: str) -> Response:
        """`headers` are further headers, `_` for `-`."""
        packed = "gzip" in request.get("accept-encoding", "")
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"Vary": "Accept-Encoding"}
        if packed:
            sent["Content-Encoding"] = "gzip"
        return Response(self.packed if packed else self.body, headers=sent, media_type=self.media_type)


class Files:
    """Files by name, in one flat folder: modules of several folders import each other as `./name.js`.

    `path` is `folder/VERSION`, without a slash at the beginning: pages name it relative to themselves.
    """

    def __init__(self, folder: str, files: dict[str, File]) -> None:
        self.files = files
        version = hashlib.sha256(b"".join(files[name].body for name in sorted(files))).hexdigest()[:12]
        self.path = f"{folder}/{version}"

    @classmethod
    def read(cls, folder: str, paths: Iterable[Path]) -> "Files":
        return cls(folder, {path.name: File.of(lean(path), path.suffix) for path in sorted(paths)})

    def application(self) -> ASGIApp:
        """Serves the files; since the path of the mount names their content, nobody has to ask for them twice."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
            if scope["type"] != "http" or name not in self.files:
                await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
                return
            headers = {"Cache_Control": _FOR_EVER, "Cross_Origin_Resource_Policy": "cross-origin"}
            await self.files[name].response(Headers(scope=scope), **headers)(scope, receive, send)

        return serve


def lean(path: Path) -> bytes:
    """A script, a style or a page as it is served: without whole lines of comment and without indentation."""
    text = path.read_text("utf-8")
    return (_COMMENTS.sub("", text) if path.suffix in (".js", ".css", ".html") else text).encode()
