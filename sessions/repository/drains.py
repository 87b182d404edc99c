"""`repo.drains`: which replicas are to be empty, for every process to see."""

from sqlalchemy import delete, select

from sessions.models import Drain
from sessions.repository.part import Part


class Drains(Part):
    async def ask(self, replica: str, boot_id: str) -> None:
        """Drain a replica until its next boot; asking again changes nothing but the boot."""
        await self.session.merge(Drain(replica=replica, boot_id=boot_id))

    async def withdraw(self, replica: str) -> None:
        """It may serve again; no effect where nobody asked."""
        await self.session.execute(delete(Drain).where(Drain.replica == replica))

    async def asked(self) -> dict[str, str]:
        """The boot that each of them is to be drained of."""
        return dict((await self.session.execute(select(Drain.replica, Drain.boot_id))).all())
