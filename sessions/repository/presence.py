"""`repo.presence`: which desks are open now, in every process."""

from datetime import timedelta

from sqlalchemy import delete, select

from sessions.columns import clock
from sessions.models import Presence
from sessions.principal import Scope, Staff
from sessions.repository.part import Part

FRESH = timedelta(seconds=45)
"""How long a desk counts as open after it was last seen."""


class Presences(Part):
    async def seen(self, stream: str, staff: Staff) -> None:
        """The staff member's stream is open. Only agents are there for customers."""
        if Scope.AGENT not in staff.scopes:
            return
        sites = None if staff.sites is None else sorted(staff.sites)
        await self.session.merge(Presence(stream=stream, name=staff.name, sites=sites, seen_at=await self._now()))

    async def gone(self, stream: str) -> None:
        """The stream has ended; forgets those, too, whose process died."""
        stale = Presence.seen_at < await self._now() - FRESH.total_seconds()
        await self.session.execute(delete(Presence).where((Presence.stream == stream) | stale))

    async def anybody(self, site_key: str) -> bool:
        """Whether an agent of the site is there."""
        since = await self._now() - FRESH.total_seconds()
        open_desks = await self.session.scalars(select(Presence).where(Presence.seen_at >= since))
        return any(desk.sites is None or site_key in desk.sites for desk in open_desks)

    async def _now(self) -> float:
        return await self.session.scalar(select(clock()))
