"""`repo.packs`: which versions of packs serve whom, and which templates are stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from sessions.columns import now
from sessions.errors import NotFound
from sessions.models import PackVersion, Recall
from sessions.repository.part import Part

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True)
class Release:
    """A version of a pack as it stands, without its files. `rollout` is in per cent."""

    name: str
    version: str
    rollout: int
    first_served_at: datetime
    released_at: datetime
    withdrawn_at: datetime | None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


_COLUMNS = (
    PackVersion.name,
    PackVersion.version,
    PackVersion.rollout,
    PackVersion.first_served_at,
    PackVersion.released_at,
    PackVersion.withdrawn_at,
)


class PackVersions(Part):
    async def release(self, name: str, version: str, files: Mapping[str, str], rollout: int) -> Release:
        """Give new conversations this version, and keep its files for as long as the database lives.

        A version that was withdrawn stays so. Releasing the newest one again changes its `rollout` at most.
        """
        await self._one_at_a_time(name)
        row = await self.session.get(PackVersion, (name, version))
        if row is None:
            row = PackVersion(name=name, version=version, files=dict(files), rollout=rollout)
            self.session.add(row)
            await self.session.flush()
        elif row.withdrawn_at is None:
            newest = (await self.releases(name))[0]
            row.rollout = rollout
            row.released_at = row.released_at if newest.version == version else now()
        return _release(row)

    async def releases(self, name: str | None = None) -> Sequence[Release]:
        """Every version that ever served, of one pack or of all: those that are not withdrawn first, newest first."""
        wanted = select(*_COLUMNS).order_by(
            PackVersion.withdrawn_at.is_not(None), PackVersion.released_at.desc(), PackVersion.version
        )
        if name is not None:
            wanted = wanted.where(PackVersion.name == name)
        return [Release(*row) for row in await self.session.execute(wanted)]

    async def files(self, name: str, version: str) -> dict[str, str]:
        """The files of a version. Raises NotFound."""
        row = await self.session.get(PackVersion, (name, version))
        if row is None:
            raise NotFound(f"no version {version!r} of pack {name!r}")
        return row.files

    async def roll_back(self, name: str, version: str | None = None) -> Release:
        """Give new conversations an earlier version again: `version`, by default the one before the present one.

        Every version released after it is withdrawn. Raises NotFound when there is no such version.
        """
        await self._one_at_a_time(name)
        standing = [each for each in await self.releases(name) if not each.is_withdrawn]
        if version is None:
            if len(standing) < 2:
                raise NotFound(f"pack {name!r} has no earlier version")
            version = standing[1].version
        row = await self.session.get(PackVersion, (name, version))
        if row is None:
            raise NotFound(f"no version {version!r} of pack {name!r}")
        row.withdrawn_at, row.rollout = None, 100
        await self.session.flush()
        await self.session.execute(
            update(PackVersion)
            .where(
                PackVersion.name == name,
                PackVersion.version != version,
                PackVersion.released_at >= row.released_at,
                PackVersion.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=now())
        )
        return _release(row)

    async def recall(self, pack: str, template: str) -> None:
        """Stop a template in every process; repeating it changes nothing."""
        insert = postgresql.insert if self.tx.is_postgres else sqlite.insert
        row = {"pack": pack, "template": template, "created_at": now()}
        await self.session.execute(insert(Recall).values(row).on_conflict_do_nothing())

    async def restore(self, pack: str, template: str) -> bool:
        """Offer a template again; False when it was not recalled here."""
        gone = await self.session.execute(delete(Recall).where(Recall.pack == pack, Recall.template == template))
        return gone.rowcount == 1

    async def recalled(self) -> dict[str, frozenset[str]]:
        """The recalled templates by pack."""
        found: dict[str, set[str]] = {}
        for pack, template in await self.session.execute(select(Recall.pack, Recall.template)):
            found.setdefault(pack, set()).add(template)
        return {pack: frozenset(templates) for pack, templates in found.items()}

    async def _one_at_a_time(self, name: str) -> None:
        """Two processes that start together release one after the other; SQLite has one writer anyway."""
        if self.tx.is_postgres:
            await self.session.execute(_LOCK, {"name": f"pack\n{name}"})


def _release(row: PackVersion) -> Release:
    return Release(row.name, row.version, row.rollout, row.first_served_at, row.released_at, row.withdrawn_at)
