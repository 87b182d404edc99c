"""The page's own files: modules and styles, served under a path that changes with their content."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from starlette.types import ASGIApp

from chat.parts import PARTS, TALK
from chat.parts.files import Files

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Assets:
    """`files` are the modules, `styles` all style sheets in one."""

    files: Files
    styles: str
    template: str

    favicon = HERE / "favicon.png"

    @classmethod
    def load(cls) -> "Assets":
        files = Files.read("browser", [*(HERE / "page").glob("*.js"), *TALK.glob("*.js")])
        sheets = [PARTS / "1-tokens.css", TALK / "talk.css", *sorted((HERE / "styles").glob("*.css"))]
        styles = "\n".join(path.read_text("utf-8") for path in sheets)
        return cls(files, styles, (HERE / "desk.html").read_text("utf-8"))

    @property
    def path(self) -> str:
        return f"/{self.files.path}"

    def application(self) -> ASGIApp:
        """Serves the modules."""
        return self.files.application()

    def head(self) -> str:
        """For the page's head. Styles stand in it, so that nothing is painted before they apply."""
        viewport = "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        preload = "".join(
            f'<link rel="modulepreload" href="{escape(self.path)}/{name}">' for name in sorted(self.files.files)
        )
        return f'<meta name="viewport" content="{viewport}">{preload}<style>{self.styles}</style>'

    def on_load(self) -> str:
        """The script of the custom component: hand Gradio's bridge to the page's main module."""
        return (
            f'import(new URL("{self.path.lstrip("/")}/main.js", document.baseURI)).then((page) => '
            'page.start({element, trigger, props, server, watch})); // events: "follow"'
        )
