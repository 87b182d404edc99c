"""The page's own files: modules and styles, served under a path that changes with their content."""

import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat.parts import PARTS

HERE = Path(__file__).parent
PAGE = HERE / "page"
STYLES = HERE / "styles"


@dataclass(frozen=True)
class Assets:
    """`version` is the first 12 hex digits of the files' SHA-256, `styles` all style sheets in one."""

    version: str
    styles: str
    template: str

    favicon = HERE / "favicon.png"

    @classmethod
    def load(cls) -> "Assets":
        modules = b"".join(path.read_bytes() for path in sorted(PAGE.glob("*.js")))
        sheets = [PARTS / "1-tokens.css", *sorted(STYLES.glob("*.css"))]
        styles = "\n".join(path.read_text("utf-8") for path in sheets)
        return cls(hashlib.sha256(modules).hexdigest()[:12], styles, (HERE / "desk.html").read_text("utf-8"))

    @property
    def path(self) -> str:
        return f"/browser/{self.version}"

    def application(self) -> ASGIApp:
        """Serves the modules; since the path names the content they never have to be asked for again."""
        files = StaticFiles(directory=PAGE)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            async def keep(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] == 200:
                    message["headers"].append((b"cache-control", b"public, max-age=31536000, immutable"))
                await send(message)

            await files(scope, receive, keep)

        return serve

    def head(self) -> str:
        """For the page's head. Styles stand in it, so that nothing is painted before they apply."""
        viewport = "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        preload = "".join(
            f'<link rel="modulepreload" href="{escape(self.path)}/{path.name}">' for path in sorted(PAGE.glob("*.js"))
        )
        return f'<meta name="viewport" content="{viewport}">{preload}<style>{self.styles}</style>'

    def on_load(self) -> str:
        """The script of the custom component: hand Gradio's bridge to the page's main module."""
        return (
            f'import(new URL("{self.path.lstrip("/")}/main.js", document.baseURI)).then((page) => '
            'page.start({element, trigger, props, server, watch})); // events: "follow"'
        )
