"""The files of the widget's page, of the demo shop and of the install check; the loader, which has a fixed address."""

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chat.parts import PARTS, TALK
from chat.parts.files import File, Files, lean

HERE = Path(__file__).parent
CHAT = HERE.parent
LOCALES = ("en", "zh", "ar")


# What only the browser chat's own page says.
_ELSEWHERE = frozenset(
    ("name", "short", "skip", "conversations", "untitled", "open_list", "close_list", "language", "to_dark", "to_light")
) | {"sending", "typing", "thanks_vote", "ended"}


def strings(locale: str) -> dict[str, object]:
    """The interface's texts: those of the browser chat where it has the language, and the widget's own."""
    common = CHAT / "locales" / f"{locale}.json"
    texts = json.loads(common.read_text("utf-8")) if common.is_file() else {}
    texts |= json.loads((HERE / "locales" / f"{locale}.json").read_text("utf-8"))
    return {name: text for name, text in texts.items() if name not in _ELSEWHERE}


_BLANKS = re.compile(r"\s*([{};,])\s*")
"""Those that a style sheet can do without: none of ours has such a sign in a string."""


def _styles(*sheets: Path) -> File:
    """Style sheets in one, behind those of the colours and measures that all pages share which they name."""
    own = "\n".join(lean(sheet).decode() for sheet in sheets)
    shared = lean(PARTS / "1-tokens.css").decode()
    used = "\n".join(line for line in shared.splitlines() if not line.startswith("--") or line.split(":")[0] in own)
    return File.of(_BLANKS.sub(r"\1", f"{used}\n{own}").encode(), ".css")


def _page_files() -> Files:
    modules = [*(HERE / "page").glob("*.js"), *TALK.glob("*.js"), PARTS / "tail.js"]
    files = {path.name: File.of(lean(path), ".js") for path in sorted(modules)}
    files["widget.css"] = _styles(TALK / "talk.css", HERE / "styles" / "widget.css")
    for locale in LOCALES:
        files[f"{locale}.json"] = File.of(
            json.dumps(strings(locale), ensure_ascii=False, separators=(",", ":")).encode(), ".json"
        )
    return Files("widget/assets", files)


LOADER = File.of(lean(HERE / "loader.js"), ".js")
PAGE_FILES = _page_files()
SHOP_FILES = Files.read("demo-shop/assets", [HERE / "shop" / "shop.css", HERE / "shop" / "shop.js"])
CHECK_FILES = Files(
    "widget/assets",
    {"check.css": _styles(HERE / "check" / "check.css"), "check.js": File.of(lean(HERE / "check" / "check.js"), ".js")},
)
HTML = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
PAGE = HTML.from_string(lean(HERE / "page.html").decode())
