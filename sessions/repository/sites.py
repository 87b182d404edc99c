"""Sites and the keys of the staff."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from sessions.columns import now
from sessions.errors import Conflict, NotFound
from sessions.identifiers import KEY, STAFF_KEY, digest, new_id, new_secret
from sessions.models import ApiKey, Site
from sessions.principal import Customer, Principal, Scope, Staff
from sessions.repository.part import Part

_CHANGEABLE = frozenset(
    {"name", "allowed_origins", "pack", "pack_version", "secrets", "identity_required", "salt_epoch", "enabled"}
)


class Sites(Part):
    """`repo.sites`. The public key of a site is no secret: `get` takes no principal."""

    async def get(self, key: str) -> Site | None:
        return await self.session.get(Site, key)

    async def list(self, principal: Principal) -> Sequence[Site]:
        """The principal's sites, by key."""
        if isinstance(principal, Customer):
            return []
        wanted = select(Site).order_by(Site.key)
        if isinstance(principal, Staff) and principal.sites is not None:
            wanted = wanted.where(Site.key.in_(principal.sites))
        return (await self.session.scalars(wanted)).all()

    async def add(self, site: Site) -> Site:
        """Raises Conflict `site_exists`."""
        await self.tx.wait_alone(f"site {site.key}")
        if await self.get(site.key):
            raise Conflict("site_exists", f"There is a site {site.key!r} already.")
        self.session.add(site)
        return site

    async def update(self, key: str, /, **changes: Any) -> Site:
        """Set fields of a site. Raises NotFound, and TypeError for a field that cannot be changed."""
        if unknown := changes.keys() - _CHANGEABLE:
            raise TypeError(f"not a changeable field of a site: {', '.join(sorted(unknown))}")
        site = await self.session.get(Site, key, with_for_update=True)
        if site is None:
            raise NotFound(f"no site {key!r}")
        for name, value in changes.items():
            setattr(site, name, value)
        return site

    async def add_key(self, scope: Scope, sites: Sequence[str] | None, label: str) -> str:
        """Make a key and return it, this once; only its hash is kept. `sites` None means every site."""
        raw = new_secret(STAFF_KEY)
        listed = None if sites is None else list(sites)
        self.session.add(ApiKey(id=new_id(KEY), hash=digest(raw), scope=scope, sites=listed, label=label))
        return raw

    async def by_key(self, raw: str) -> Staff | None:
        """Whose key this is; None when it is unknown or revoked."""
        key = await self.session.scalar(select(ApiKey).where(ApiKey.hash == digest(raw), ApiKey.revoked_at.is_(None)))
        if key is None:
            return None
        sites = None if key.sites is None else frozenset(key.sites)
        return Staff(name=key.label, scopes=frozenset({Scope(key.scope)}), sites=sites)

    async def keys(self) -> Sequence[ApiKey]:
        """Every key, oldest first, also revoked ones."""
        return (await self.session.scalars(select(ApiKey).order_by(ApiKey.created_at))).all()

    async def revoke(self, key_id: str) -> None:
        """End a key. Raises NotFound."""
        key = await self.session.get(ApiKey, key_id)
        if key is None:
            raise NotFound(f"no key {key_id!r}")
        key.revoked_at = key.revoked_at or now()
