"""`repo.audit`: who signed in, and what was done to whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from sessions.identifiers import ENTRY, new_id
from sessions.models import AuditEntry
from sessions.repository.part import Part


class Audit(Part):
    async def write(
        self, actor: str, action: str, *, about: str | None = None, address: str | None = None, **details: Any
    ) -> None:
        """Add an entry, in the transaction of what it tells."""
        entry = AuditEntry(id=new_id(ENTRY), actor=actor, action=action, about=about, address=address, details=details)
        self.session.add(entry)

    async def expire(self, older_than: datetime) -> int:
        """Forget entries from before `older_than`; returns how many."""
        return (await self.session.execute(delete(AuditEntry).where(AuditEntry.at < older_than))).rowcount

    async def list(self, *, limit: int = 100, after: str | None = None) -> Sequence[AuditEntry]:
        """Entries, newest first; `after` is the id of the last one that was read."""
        wanted = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)
        last = await self.session.get(AuditEntry, after) if after else None
        if last is not None:
            older = (AuditEntry.at < last.at) | ((AuditEntry.at == last.at) & (AuditEntry.id < last.id))
            wanted = wanted.where(older)
        return (await self.session.scalars(wanted)).all()
