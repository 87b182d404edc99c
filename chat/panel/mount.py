"""Puts the panel's pages and their files on the application."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import HTMLResponse

from chat.parts import PARTS
from chat.parts.files import Files
from chat.parts.strict import StrictPages
from chat.services import Services, services_of
from chat.signin.landing import Landing

HERE = Path(__file__).parent
FILES = Files.read(
    "agent/assets",
    [*(HERE / "page").glob("*.js"), *(HERE / "styles").glob("*.css"), *PARTS.glob("*.js"), *PARTS.glob("*.css")],
)
PAGES = StrictPages(HERE, FILES)
MODULES = [name for name in FILES.files if name.endswith(".js") and name != "login.js"]

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
    ancestors = " ".join(origins) or "'none'"
    return PAGES.page(
        "panel.html", FILES.path, ancestors=ancestors, modules=MODULES, origins=" ".join(origins), embed=embed
    )


@router.get("/agent/login")
async def login(popup: bool = False, next: Landing = Landing.AGENT) -> HTMLResponse:
    """Signing in, to go on to the page `next`; in a popup, for the side panel that opened it."""
    answer = PAGES.page("login.html", FILES.path.removeprefix("agent/"), title=next.title, popup=popup)
    if popup:
        # The popup hands a token to its opener, our own frame inside a foreign page: that tie must not be cut.
        answer.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return answer
