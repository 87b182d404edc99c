"""What a website's Content-Security-Policy refuses of the widget (CSP Level 3, sections 6.1 and 6.7). Pure."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

_SCRIPT = ("script-src-elem", "script-src", "default-src")
_FRAME = ("frame-src", "child-src", "default-src")

_HOST_SOURCE = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>[a-z0-9*.-]+)(?::(?P<port>\d+|\*))?(?:/.*)?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}

Directives = dict[str, list[str]]


def refusals(written: str, server: str) -> Iterator[tuple[str, str]]:
    """Pairs of the directive at fault and why; nothing when the loader and the frame are both let in.

    `written` may be the whole header with its name, or several policies with commas: all of them have to agree.
    """
    for policy in written.removeprefix("Content-Security-Policy:").split(","):
        directives = parse(policy)
        yield from _script(directives, server)
        name = next((name for name in _FRAME if name in directives), None)
        if name and not _lets_in(directives[name], server):
            yield name if name != "default-src" else "frame-src", "The chat's frame comes from this server: add it."


def parse(policy: str) -> Directives:
    """Directives by name; of a name that is written twice, the first counts."""
    found: Directives = {}
    for part in policy.split(";"):
        name, *sources = part.split() or [""]
        if name:
            found.setdefault(name.lower(), [source.lower() for source in sources])
    return found


def _script(directives: Directives, server: str) -> Iterator[tuple[str, str]]:
    name = next((name for name in _SCRIPT if name in directives), None)
    if name is None:
        return
    sources = directives[name]
    if "'strict-dynamic'" in sources:
        yield name, "It has 'strict-dynamic', which ignores addresses: give the chat's script tag the page's nonce."
    elif not _lets_in(sources, server):
        told = name if name != "default-src" else "script-src"
        yield told, "The chat's script comes from this server: add it, or give its tag the page's nonce."


def _lets_in(sources: list[str], server: str) -> bool:
    return any(_matches(source, server) for source in sources)


def _matches(source: str, server: str) -> bool:
    """Whether a source expression means our origin; one with `http:` means `https:` too."""
    ours = urlsplit(server)
    if source in ("*", "http:", f"{ours.scheme}:"):
        return True
    written = _HOST_SOURCE.fullmatch(source)
    if written is None or written["scheme"] not in (None, "http", ours.scheme):
        return False
    port = str(ours.port or _DEFAULT_PORTS[ours.scheme])
    if (written["port"] or _DEFAULT_PORTS[ours.scheme]) not in ("*", port):
        return False
    name, host = ours.hostname or "", written["host"]
    return name.endswith(host[1:]) if host.startswith("*.") else name == host
