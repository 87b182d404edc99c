"""The files of the widget's page, of the demo shop and of the install check; the loader, which has a fixed address."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chat.parts import PARTS
from chat.parts.files import File, Files, lean

HERE = Path(__file__).parent
CHAT = HERE.parent
LOCALES = ("en", "zh", "ar")

# What the browser chat has already: its modules work on the same View.
_SHARED = ("calls", "composer", "empty", "line", "paint", "scroll", "texts", "transcript")


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


def _styles(name: str) -> File:
    """A style sheet behind those of the colours and measures that all pages share which it names."""
    own = lean(HERE / name).decode()
    shared = lean(PARTS / "1-tokens.css").decode()
    used = "\n".join(line for line in shared.splitlines() if not line.startswith("--") or line.split(":")[0] in own)
    return File.of(f"{used}\n{own}".encode(), ".css")


def _page_files() -> Files:
    modules = [*(HERE / "page").glob("*.js"), PARTS / "tail.js"]
    modules += [CHAT / "browser" / "page" / f"{name}.js" for name in _SHARED]
    files = {path.name: File.of(lean(path), ".js") for path in sorted(modules)}
    files["widget.css"] = _styles("styles/widget.css")
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
    {"check.css": _styles("check/check.css"), "check.js": File.of(lean(HERE / "check" / "check.js"), ".js")},
)
HTML = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
PAGE = HTML.from_string(lean(HERE / "page.html").decode())
