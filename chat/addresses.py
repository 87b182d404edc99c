"""Who is calling, by network address. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

UNKNOWN = "unknown"


class TrustedProxies:
    """The proxies whose `X-Forwarded-For` is believed: addresses or networks such as `10.0.0.0/8`."""

    def __init__(self, written: Sequence[str]) -> None:
        """Raises ValueError naming the entry that is neither an address nor a network."""
        self._networks = tuple(ip_network(entry, strict=False) for entry in written)

    def client_address(self, scope: Scope) -> str:
        """The nearest address that is not a trusted proxy, `unknown` where there is none (a socket file)."""
        hops = [*_forwarded(scope), scope["client"][0] if scope.get("client") else UNKNOWN]
        client = hops.pop()
        while hops and self._trusts(client):
            client = hops.pop()
        return client

    def is_loopback(self, scope: Scope) -> bool:
        """Whether the call comes from this machine, and not through a proxy on it that nobody told us of."""
        address = _parse(self.client_address(scope))
        return address is not None and address.is_loopback and not _forwarded(scope)

    def _trusts(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def limit_key(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that one IPv6 customer gets."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
    return address


def _forwarded(scope: Scope) -> list[str]:
    headers = Headers(scope=scope).getlist("x-forwarded-for")
    return [hop.strip() for hop in ",".join(headers).split(",") if hop.strip()]


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None
