"""The widget's pages. They take no credential: what is in them, every visitor of the website may see."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import HTMLResponse

from chat.parts.files import File
from chat.services import Services, services_of
from chat.widget.check.findings import Asked, look
from chat.widget.files import CHECK_FILES, HTML, LOADER, LOCALES, PAGE, PAGE_FILES, SHOP_FILES
from chat.widget.framing import frame_policy
from chat.widget.shop import SHOP_POLICY, shelves
from chat.widget.welcome import welcome

router = APIRouter(include_in_schema=False)
With = Annotated[Services, Depends(services_of)]
Short = Annotated[str, Query(max_length=100)]
Long = Annotated[str, Query(max_length=8000)]

# For websites that isolate themselves: their policies ask this of everything that they load.
_ELSEWHERE = {"Cross_Origin_Resource_Policy": "cross-origin"}
_FRAME = _ELSEWHERE | {"Cross_Origin_Embedder_Policy": "require-corp"}
_CHECK_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)


@router.get("/widget.js")
async def loader(request: Request) -> Response:
    """The loader, asked for again every ten minutes."""
    return LOADER.response(request.headers, Cache_Control="public, max-age=600", **_ELSEWHERE)


@router.get("/widget")
async def page(request: Request, services: With, site: Short = "", locale: Short = "") -> Response:
    """The page in the frame. Which websites may frame it, its policy says; an unknown site gets an empty page."""
    seen = await welcome(services, site)
    chosen = spoken([locale, *accepted(request), services.settings.locale])
    html = PAGE.render(
        title=seen.title,
        locale=chosen,
        direction="rtl" if chosen == "ar" else "ltr",
        assets=PAGE_FILES.path,
        modules=[name for name in PAGE_FILES.files if name.endswith(".js") and name != "main.js"],
        locales=" ".join(LOCALES),
        welcome=json.dumps(seen.told),
    )
    return File.of(html.encode(), ".html").response(
        request.headers, Content_Security_Policy=frame_policy(seen.origins), Cache_Control="no-store", **_FRAME
    )


@router.get("/widget/check")
async def check(
    request: Request, services: With, site: Short = "", page: Long = "", policy: Long = "", saw: Short = ""
) -> Response:
    """Tells a website's owner in words what is wrong."""
    async with services.store.read() as repo:
        found = await repo.sites.get(site) if site else None
    asked = Asked(site, own_origin(request, services), page, policy, saw)
    findings = look(found, asked) if site else []
    html = HTML.get_template("check/check.html").render(assets=CHECK_FILES.path, asked=asked, findings=findings)
    return HTMLResponse(html, headers={"Content-Security-Policy": _CHECK_POLICY, "Cache-Control": "no-store"})


@router.get("/demo-shop")
async def demo_shop(page: Short = "") -> Response:
    """An ordinary shop with the widget on it."""
    html = HTML.get_template("shop/shop.html").render(assets=SHOP_FILES.path, **shelves(page))
    return HTMLResponse(html, headers={"Content-Security-Policy": SHOP_POLICY})


def own_origin(request: Request, services: Services) -> str:
    """The server's origin as browsers see it: the setting, else what this browser asked for."""
    public = services.settings.public_url
    return "/".join(public.split("/")[:3]) if public else f"{request.url.scheme}://{request.url.netloc}"


def accepted(request: Request) -> list[str]:
    """The browser's languages, in the order in which it names them."""
    return [tag.split(";")[0].strip() for tag in request.headers.get("accept-language", "").split(",")]


def spoken(wanted: list[str]) -> str:
    """The first of the wanted languages that the interface speaks, else English."""
    bases = [tag.replace("_", "-").split("-")[0].lower() for tag in wanted]
    return next((base for base in bases if base in LOCALES), LOCALES[0])
