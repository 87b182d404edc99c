"""Network addresses: who is calling, through which proxies."""

import pytest
from starlette.types import Scope

from chat.addresses import TrustedProxies, limit_key


def scope(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "client": (peer, 1) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.1.2.3", ["nonsense"], "nonsense"),
        ("10.1.2.3", [], "10.1.2.3"),
        (None, [], "unknown"),
    ],
)
def test_address_is_the_nearest_that_is_no_trusted_proxy(peer: str | None, forwarded: list[str], address: str) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).client_address(scope(peer, *forwarded)) == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "local"),
    [
        ("127.0.0.1", [], True),
        ("::1", [], True),
        ("127.0.0.1", ["203.0.113.7"], False),
        ("203.0.113.7", ["127.0.0.1"], False),
        ("10.1.2.3", ["127.0.0.1"], False),
        (None, [], False),
    ],
)
def test_loopback_is_a_caller_on_this_machine_without_a_proxy(
    peer: str | None, forwarded: list[str], local: bool
) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).is_loopback(scope(peer, *forwarded)) is local


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("unknown", "unknown"),
    ],
)
def test_one_ipv6_customer_is_one_network(address: str, key: str) -> None:
    assert limit_key(address) == key


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match=r"proxy\.example"):
        TrustedProxies(["proxy.example"])
