"""Whose request it is: the key says which sites it may speak for, and the site whose cache is used.

A key of one site speaks for that site. A key of several, or of every site, names one in the site's header. A key of
every site that names none works outside the sites, with a cache of its own. What is found holds for two seconds, so
a revoked key or a new cache salt takes effect within them.
"""

import hashlib
import time
from dataclasses import dataclass, field

from backend.salt import cache_salt
from chat.errors import ApiError, Forbidden, Missing, Unauthorized
from chat.pins import pin_key
from chat.staff_keys import StaffKeys
from sessions import Scope, Staff, Store

SITE_HEADER = "X-Site"

_HOLDS_S = 2.0
_MOST_KEPT = 1024
_NO_SITE = ""


@dataclass(frozen=True, slots=True)
class Tenant:
    """`key` is a digest of the credential; `site` is None outside the sites. `salt` separates the caches."""

    key: bytes
    site: str | None
    salt: str = field(repr=False)


def session_key(tenant: Tenant, named: str | None, opening: str) -> bytes:
    """What stands for a session: of the name that the client gave it, else of how its conversation begins.

    The key and the site are part of it: nobody shares, or steers, the session of somebody else.
    """
    kind = b"name" if named else b"opening"
    return pin_key(tenant.key, (tenant.site or "").encode(), kind, (named or opening).encode())


class Tenants:
    def __init__(self, store: Store, keys: StaffKeys, secret: bytes) -> None:
        self._store, self._keys, self._secret = store, keys, secret
        self._known: dict[tuple[bytes, str | None], tuple[float, Tenant]] = {}

    async def of(self, credential: str | None, site: str | None) -> Tenant:
        """Raises Unauthorized, Forbidden, Missing (no such site for this key), ApiError (a site has to be named)."""
        if not credential:
            raise Unauthorized
        key = hashlib.sha256(credential.encode()).digest()
        until, known = self._known.get((key, site), (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        tenant = await self._look_up(credential, key, site)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[key, site] = (time.monotonic() + _HOLDS_S, tenant)
        return tenant

    async def _look_up(self, credential: str, key: bytes, site: str | None) -> Tenant:
        async with self._store.read() as repo:
            staff = self._keys.staff(credential) or await repo.sites.by_key(credential)
            if staff is None:
                raise Unauthorized
            if Scope.INFERENCE not in staff.scopes:
                raise Forbidden(f"This call needs a key with scope {Scope.INFERENCE}.", scope=Scope.INFERENCE)
            named = site or _only_site(staff)
            if named == _NO_SITE:
                return Tenant(key, None, cache_salt(self._secret, _NO_SITE, 0))
            found = await repo.sites.get(named)
        if found is None or not found.enabled or (staff.sites is not None and named not in staff.sites):
            raise Missing(f"There is no site {named!r} for this key.", code="unknown_site", field=SITE_HEADER)
        return Tenant(key, found.key, cache_salt(self._secret, found.key, found.salt_epoch))


def _only_site(staff: Staff) -> str:
    if staff.sites is None:
        return _NO_SITE
    if len(staff.sites) == 1:
        return next(iter(staff.sites))
    raise ApiError(
        f"This key speaks for several sites: name one in the {SITE_HEADER} header.",
        code="site_required",
        field=SITE_HEADER,
    )
