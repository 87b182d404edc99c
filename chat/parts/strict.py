"""A page of plain files of our own: nothing inline, nothing from elsewhere, every text a text node."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from chat.parts.files import Files

# Every text becomes a text node, styles and scripts come from files: nothing is left for an injected word to start.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors {}"
)


class StrictPages:
    """The pages of one folder of templates, with the files that they name."""

    def __init__(self, folder: Path, files: Files) -> None:
        self._html = Environment(
            loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._sheets = sorted(name for name in files.files if name.endswith(".css"))

    def page(self, name: str, assets: str, *, ancestors: str = "'none'", **values: object) -> HTMLResponse:
        """`assets` is the files' folder relative to the page, so that the server may stand behind a proxy's path.

        `ancestors` are the origins that may frame it.
        """
        html = self._html.get_template(name).render(assets=assets, sheets=self._sheets, **values)
        headers = {"Content-Security-Policy": _POLICY.format(ancestors), "Cache-Control": "no-store"}
        return HTMLResponse(html, headers=headers)
