"""Puts the panel's pages and their files on the application."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from chat.parts import PARTS
from chat.parts.files import Files
from chat.services import Services, services_of

HERE = Path(__file__).parent
FILES = Files.read(
    "agent/assets",
    [
        *(HERE / "page").glob("*.js"),
        *(HERE / "styles").glob("*.css"),
        PARTS / "tail.js",
        HERE.parent / "browser" / "styles" / "1-tokens.css",
    ],
)
HTML = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)

# Every text becomes a text node, styles and scripts come from files: nothing is left for an injected word to start.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors {}"
)

router = APIRouter(include_in_schema=False)
With = Annotated[Services, Depends(services_of)]


def mount(app: FastAPI) -> None:
    """`/agent`, `/agent/login` and the files that they name."""
    app.include_router(router)
    app.mount(f"/{FILES.path}", FILES.application())


@router.get("/agent")
async def panel(services: With, embed: bool = False) -> HTMLResponse:
    """The panel; with `embed` the side panel, which only the help desks of the settings may frame."""
    origins = services.settings.embed_origins if embed else []
    return _page("panel.html", " ".join(origins) or "'none'", origins=" ".join(origins), embed=embed)


@router.get("/agent/login")
async def login(services: With, popup: bool = False) -> HTMLResponse:
    """Signing in; in a popup, for the side panel that opened it."""
    answer = _page("login.html", "'none'", popup=popup)
    if popup:
        # The popup hands a token to its opener, our own frame inside a foreign page: that tie must not be cut.
        answer.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return answer


def _page(name: str, ancestors: str, **values: object) -> HTMLResponse:
    modules = [each for each in FILES.files if each.endswith(".js") and each != "login.js"]
    sheets = [path.name for path in sorted((HERE / "styles").glob("*.css"))]
    # Relative to the page, so that the server may stand behind a proxy's path.
    assets = FILES.path if name == "panel.html" else FILES.path.removeprefix("agent/")
    html = HTML.get_template(name).render(assets=assets, modules=modules, sheets=sheets, **values)
    headers = {"Content-Security-Policy": POLICY.format(ancestors), "Cache-Control": "no-store"}
    return HTMLResponse(html, headers=headers)
