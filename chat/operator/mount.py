"""Puts the operator page and its files on the application."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse

from chat.parts import PARTS
from chat.parts.files import Files
from chat.parts.strict import StrictPages

HERE = Path(__file__).parent
SHARED = ("api.js", "dialogs.js", "element.js", "time.js", "1-tokens.css", "2-base.css", "3-controls.css")
FILES = Files.read(
    "operator/assets",
    [*(HERE / "page").glob("*.js"), *(HERE / "styles").glob("*.css"), *(PARTS / name for name in SHARED)],
)
PAGES = StrictPages(HERE, FILES)
MODULES = [name for name in FILES.files if name.endswith(".js")]

router = APIRouter(include_in_schema=False)


def mount(app: FastAPI) -> None:
    """`/operator` and the files that it names."""
    app.include_router(router)
    app.mount(f"/{FILES.path}", FILES.application())


@router.get("/operator")
async def operator() -> HTMLResponse:
    """The page holds nothing: who may see the figures is told by the calls that it makes."""
    return PAGES.page("operator.html", FILES.path, modules=MODULES)
