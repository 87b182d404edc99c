"""Passwords: kept as argon2id hashes, checked off the event loop because that takes 64 MiB and tens of milliseconds."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256

_HASHER = PasswordHasher()
_AT_ONCE = asyncio.Semaphore(4)
_NOBODYS = _HASHER.hash(secrets.token_urlsafe(16))


def hashed(password: str) -> str:
    """The hash to keep. Raises ValueError for a password that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"A password has {SHORTEST} to {LONGEST} characters.")
    return _HASHER.hash(password)


async def matches(kept: str | None, password: str) -> bool:
    """Whether the password is the one; takes as long where there is no account or no password."""
    async with _AT_ONCE:
        right = await asyncio.to_thread(_verify, kept or _NOBODYS, password[:LONGEST])
    return right and kept is not None


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
