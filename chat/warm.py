"""Warm before ready: what every conversation on a replica begins with is computed once, before customers come.

Each active pack's system prompt is prefilled under the cache salt of each site that uses it, and its schema's grammar
compiled, by a reply of one token.
"""

from dataclasses import dataclass

import structlog

from backend.engine import Engine
from backend.replicas import Replica
from backend.salt import cache_salt
from chat.packs import Packs
from prompts import Line, LineRole, Pack, assemble, reply_schema
from sessions import Server, Site, Store

log = structlog.get_logger(__name__)

OPENING = "Hello"
"""Stands for the first message; what comes after the system prompt is not shared anyway."""


@dataclass(frozen=True)
class Warmer:
    """What a replica needs before it takes customers."""

    store: Store
    packs: Packs
    engine: Engine
    secret: bytes

    async def warm(self, replica: Replica) -> None:
        """Warm every pair of site and pack on one replica; raises EngineError when the replica does not answer."""
        async with self.store.read() as repo:
            sites = await repo.sites.list(Server())
        for site in sites:
            if site.enabled and site.pack in self.packs:
                await self._prefill(replica.id, site, self.packs.named(site.pack))

    async def _prefill(self, replica_id: str, site: Site, pack: Pack) -> None:
        await self.engine.prefill(
            replica_id,
            messages=assemble(pack, [Line(LineRole.CUSTOMER, OPENING)]),
            schema=reply_schema(pack),
            cache_salt=cache_salt(self.secret, site.key, site.salt_epoch),
        )
        log.info("prefix_warmed", replica=replica_id, site=site.key, pack=pack.name, version=pack.version)
