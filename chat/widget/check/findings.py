"""What stands between a website and its widget, in the words of whoever has to put it right. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from chat.origins import allows, parse_origin
from chat.widget.check.policy import refusals
from sessions import Site


class Verdict(StrEnum):
    GOOD = "good"
    ASK = "ask"  # cannot be told from here
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """`remedy` is a line to copy: a command, a header, a tag."""

    verdict: Verdict
    title: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Asked:
    """What the owner told us. `server` is our own origin as browsers see it, `saw` what the loader has seen."""

    key: str
    server: str
    page: str = ""
    policy: str = ""
    saw: str = ""


def look(site: Site | None, asked: Asked) -> list[Finding]:
    """Every finding, in the order in which the parts depend on each other."""
    known = _key(site, asked)
    if known.verdict is Verdict.BAD or site is None:
        return [known]
    found = [known, _origins(site, asked)]
    if asked.page:
        found += _page(site, asked)
    found += _policy(asked)
    return [*found, *_seen(asked)]


def _key(site: Site | None, asked: Asked) -> Finding:
    if site is None:
        text = "No site has this key. Compare data-site in your script tag with the list of sites; capitals count."
        return Finding(Verdict.BAD, f"Unknown site key {asked.key!r}", text, "python -m chat.sites list")
    if not site.enabled:
        remedy = f"python -m chat.sites set {site.key} --enable"
        return Finding(Verdict.BAD, "The site is switched off", "Its chat answers nobody until it is on again.", remedy)
    return Finding(Verdict.GOOD, f"The site key {site.key!r} is known", f"It belongs to {site.name}.")


def _origins(site: Site, asked: Asked) -> Finding:
    if not site.allowed_origins:
        text = "Without a list of allowed origins no website may show the chat. Name yours."
        return Finding(Verdict.BAD, "No website is allowed", text, _allow(site, "https://www.your-shop.example"))
    return Finding(Verdict.GOOD, "Some websites are allowed", f"Namely: {', '.join(site.allowed_origins)}.")


def _page(site: Site, asked: Asked) -> Iterator[Finding]:
    origin = origin_of(asked.page)
    if origin is None:
        text = "Write it as your browser shows it, with https:// in front."
        yield Finding(Verdict.BAD, f"{asked.page!r} is not the address of a web page", text)
        return
    if allows(site.allowed_origins, origin):
        yield Finding(Verdict.GOOD, f"{origin} is allowed", "Browsers may show the chat's frame there.")
    else:
        yield Finding(Verdict.BAD, f"{origin} is not allowed", _nearest(site, origin), _allow(site, origin))
    if origin.startswith("https:") and asked.server.startswith("http:") and not _is_local(asked.server):
        text = (
            f"{origin} is loaded over https and this server over http: browsers block that as mixed content. "
            "Put the server behind https, and use that address in the script tag."
        )
        yield Finding(Verdict.BAD, "Mixed content", text, "PINDESK_PUBLIC_URL=https://chat.your-shop.example")


def _nearest(site: Site, origin: str) -> str:
    """Why an origin that looks right is not: scheme, port and every label of the name have to be the same."""
    own = urlsplit(origin)
    for allowed in site.allowed_origins:
        other = urlsplit(allowed)
        if other.hostname == own.hostname and other.scheme != own.scheme:
            return (
                f"{allowed} is allowed, but the page is loaded over {own.scheme}. To a browser these are two websites."
            )
        if other.hostname == own.hostname:
            return f"{allowed} is allowed, but the page is on another port. To a browser these are two websites."
        if (other.hostname or "").removeprefix("www.") == (own.hostname or "").removeprefix("www."):
            return f"{allowed} is allowed. With and without www. are two websites to a browser: allow both."
    return "It is not in the site's list. Allow it beside the others; the list is replaced as a whole."


def _allow(site: Site, origin: str) -> str:
    listed = [*site.allowed_origins, origin]
    return f"python -m chat.sites set {site.key} " + " ".join(f"--origin {each}" for each in listed)


def _policy(asked: Asked) -> Iterator[Finding]:
    if not asked.policy:
        text = (
            "If your website sends a Content-Security-Policy header, paste it above. It has to allow the script and "
            "the frame from this server; nothing else is loaded into your page."
        )
        yield Finding(
            Verdict.ASK, "Your website's own policy", text, f"script-src {asked.server}; frame-src {asked.server}"
        )
        return
    refused = list(refusals(asked.policy, asked.server))
    for directive, text in refused:
        yield Finding(Verdict.BAD, f"Your policy blocks the chat: {directive}", text, f"{directive} {asked.server}")
    if not refused:
        yield Finding(Verdict.GOOD, "Your policy lets the chat in", "Both its script and its frame are allowed.")


_SEEN = {
    "csp": "The loader saw your website's own Content-Security-Policy refuse the frame. Paste that header above.",
    "frame_blocked": (
        "The loader made the frame and nothing came. Either the page's origin is not allowed (see above), or something "
        "between browser and server blocks it: a proxy that adds X-Frame-Options, a firewall, a browser extension."
    ),
}


def _seen(asked: Asked) -> Iterator[Finding]:
    if asked.saw in _SEEN:
        yield Finding(Verdict.BAD, "What the page itself reported", _SEEN[asked.saw])


def origin_of(page: str) -> str | None:
    """The origin of a page's address; None for what is no address."""
    try:
        parts = urlsplit(page.strip())
        return parse_origin(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return None


def _is_local(origin: str) -> bool:
    return urlsplit(origin).hostname in ("localhost", "127.0.0.1", "::1")
