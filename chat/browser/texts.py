"""The interface's strings: one JSON file a locale, English first."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "locales"


def load_texts(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Strings by locale; the first one is what a browser of another language gets."""
    found = sorted(folder.glob("*.json"), key=lambda path: (path.stem != "en", path.stem))
    return {path.stem: json.loads(path.read_text("utf-8")) for path in found}
