"""Somebody's website: pages of any shape, with any headers, on an origin of its own."""

from dataclasses import dataclass, field

from aiohttp import web

from tests.processes import free_port

SITE = "lamps"

PLAIN = """<!doctype html><html lang="{lang}"><head><title>A website</title>{head}
<script async src="{chat}/widget.js" data-site="{site}"{data}></script></head>
<body><main><h1>A website</h1><a href="#first">A link</a></main></body></html>"""


@dataclass
class Website:
    """`put` a page, then visit `url + path`."""

    chat: str
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._pages: dict[str, tuple[str, dict[str, str]]] = {}
        self._app = web.Application()
        self._app.router.add_get("/{path:.*}", self._page)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Not 127.0.0.1, where the chat is: another origin and another site."""
        return f"http://localhost:{self.port}"

    def put(
        self,
        *,
        head: str = "",
        data: str = "",
        site: str = SITE,
        lang: str = "en",
        headers: dict[str, str] | None = None,
    ) -> str:
        """Make a page with the widget on it and return its address."""
        path = f"/{len(self._pages)}"
        html = PLAIN.format(chat=self.chat, site=site, head=head, data=data, lang=lang)
        self._pages[path] = (html, headers or {})
        return self.url + path

    async def start(self) -> None:
        self._runner = web.AppRunner(self._app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        if request.path not in self._pages:
            return web.Response(status=404)
        html, headers = self._pages[request.path]
        return web.Response(text=html, content_type="text/html", headers=headers)
