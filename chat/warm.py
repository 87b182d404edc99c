"""Warm before ready: what every conversation on a replica begins with is computed once, before customers come.

Each pack version that new conversations may get is brought to a replica by a reply of one token under the cache salt of
each site that uses it: that prefills its system prompt and shows that the engine compiles its grammar.
"""

import asyncio
import time
from dataclasses import dataclass

import structlog

from backend.engine import Engine
from backend.errors import EngineError
from backend.member import Replica
from backend.priority import Priority
from backend.replicas import Replicas
from backend.salt import cache_salt
from chat.ahead import brand_of
from chat.packs import Packs
from prompts import Line, LineRole, Pack, assemble, turn_schema
from sessions import Server, Site, Store

log = structlog.get_logger(__name__)

OPENING = "Hello"
"""Stands for the first message; what comes after the system prompt is not shared anyway."""


@dataclass(frozen=True)
class Warmer:
    """What a replica needs before it takes customers, and a pack version before its first conversation."""

    store: Store
    packs: Packs
    replicas: Replicas
    engine: Engine
    secret: bytes

    async def warm(self, replica: Replica) -> None:
        """Warm every pair of site and pack on one replica; raises EngineError when the replica does not answer."""
        for site in await self._sites():
            for pack in self.packs.of_site(site):
                await self._prefill(replica.id, site, pack)

    async def warm_pack(self, pack: Pack) -> None:
        """Warm a version, as it is now, on every replica that has been seen alive; one that does not answer is
        passed over. One that only old conversations have is warmed for every site of its pack.
        """
        sites = [site for site in await self._sites() if site.pack == pack.name]
        sites = [site for site in sites if pack in self.packs.of_site(site)] or sites
        await asyncio.gather(
            *(self._try(replica_id, site, pack) for replica_id in self.replicas.served() for site in sites)
        )

    async def _sites(self) -> list[Site]:
        async with self.store.read() as repo:
            return [site for site in await repo.sites.list(Server()) if site.enabled]

    async def _try(self, replica_id: str, site: Site, pack: Pack) -> None:
        try:
            await self._prefill(replica_id, site, pack)
        except EngineError as error:
            log.warning("prefix_not_warmed", replica=replica_id, site=site.key, pack=pack.name, code=error.code)

    async def _prefill(self, replica_id: str, site: Site, pack: Pack) -> None:
        began, salt = time.perf_counter(), cache_salt(self.secret, site.key, site.salt_epoch)
        await self.engine.prefill(
            replica_id,
            messages=assemble(pack, [Line(LineRole.CUSTOMER, OPENING)]),
            schema=turn_schema(pack, [OPENING], only=self.packs.speakable(pack)),
            cache_salt=salt,
            priority=Priority.WARM_UP,
        )
        self.replicas.policy.warmed(replica_id, brand_of(pack, salt), time.monotonic())
        took_ms = round((time.perf_counter() - began) * 1000)
        told = {"site": site.key, "pack": pack.name, "version": pack.version, "took_ms": took_ms}
        log.info("prefix_warmed", replica=replica_id, **told)
