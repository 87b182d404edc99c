"""Where a webhook may go: not into the house, unless a setting says so.

A name is resolved once, by the connection that is then made: an address that was checked is the one that is used, and
redirects are not followed.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(OSError):
    """The target lies where webhooks do not go."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet: not loopback, private, link-local, multicast or embedded such."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if inner := ip.ipv4_mapped or ip.sixtofour:
            return is_public(str(inner))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(ip.packed[-4:])))
    return ip.is_global and not ip.is_multicast


def check_url(url: str, *, private: bool) -> str:
    """The URL, if webhooks may be sent to it as far as can be told without resolving it. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{url!r} is not a URL such as https://shop.example/hooks/pindesk")
    if private:
        return url
    remedy = "set PINDESK_WEBHOOK_PRIVATE_TARGETS=true to allow it"
    if parts.scheme != "https":
        raise ValueError(f"{url} is not encrypted: use https, or {remedy}")
    if is_address(parts.hostname) and not is_public(parts.hostname):
        raise ValueError(f"{parts.hostname} is not an address of the internet: {remedy}")
    return url


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class PublicResolver(AbstractResolver):
    """Resolves names, and raises Forbidden for one of which any address lies in the house."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise Forbidden(f"{host} is in the house")
        return found

    async def close(self) -> None:
        await self._resolver.close()
