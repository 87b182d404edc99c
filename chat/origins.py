"""Origins as a site's allow-list writes them. Pure."""

import re
from collections.abc import Iterable

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")


def parse_origin(written: str) -> str:
    """An origin in its one form: `https://shop.example`, `https://*.shop.example`, `http://127.0.0.1:8080`.

    Raises ValueError for what a browser would never send as an origin: a path, a missing scheme, spaces.
    """
    origin = written.strip().rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{written!r} is not an origin such as https://shop.example")
    return origin


def allows(allowed: Iterable[str], origin: str) -> bool:
    """Whether browsers find an origin in a list: `*.` stands for any number of labels and not for none."""
    return any(_matches(pattern, origin) for pattern in allowed)


def _matches(pattern: str, origin: str) -> bool:
    scheme, _, host = pattern.partition("://*.")
    if not host:
        return pattern == origin
    return origin.startswith(f"{scheme}://") and origin.endswith(f".{host}")
