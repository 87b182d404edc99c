"""Where the prefix of each session lies: in this process' memory, the longest unused given up first."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from backend.placement import Pin
from chat.inference.tenants import Tenant


def session_key(tenant: Tenant, named: str | None, opening: str) -> bytes:
    """16 bytes that stand for a session: of the name that the client gave it, else of how its conversation begins.

    The key and the site are part of it: nobody shares, or steers, the session of somebody else.
    """
    parts = (tenant.key, (tenant.site or "").encode(), b"name" if named else b"opening", (named or opening).encode())
    counted = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.blake2b(counted, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class _Held:
    pin: Pin
    at: float


class SessionPins:
    """At most `capacity` sessions, some 600 bytes each."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[bytes, _Held] = OrderedDict()

    def get(self, session: bytes) -> Pin | None:
        """The session's pin as it is now, with the time since it was last used."""
        held = self._held.get(session)
        return held and replace(held.pin, idle_s=time.monotonic() - held.at)

    def put(self, session: bytes, pin: Pin) -> None:
        self._held[session] = _Held(pin, time.monotonic())
        self._held.move_to_end(session)
        while len(self._held) > self._capacity:
            self._held.popitem(last=False)

    def __len__(self) -> int:
        return len(self._held)
