"""The versions of packs that this process holds: what new conversations begin with, what old ones keep.

The store says which versions are released, so that every `web` process gives the same answer. A version that is
released while this process runs gets its first conversation here after `warm` has run for it. A recall changes a
version's grammar, a new site or a new salt asks for a prefix of its own: they count at once, and `warm` follows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from math import inf
from pathlib import Path
from typing import NamedTuple

import structlog

from chat.packs.folders import FOLDER, Folders
from chat.packs.releases import BUCKETS, bucket_of, chain, chosen
from prompts import Pack, PackError, pack_of, speakable
from sessions import NotFound, Release, Server, Site, Store, Unavailable

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
"""An edit is live after two looks, a recall after one."""

SPOKEN_FOR_S = 3600.0
"""A version that only older conversations have, and none of them for so long, is not brought to replicas again."""

Key = tuple[str, str]


class UnknownPack(Exception):
    """A site names a pack of which no version was ever released."""


class Warmth(NamedTuple):
    """What makes a version's grammar and its cached prefixes: what is recalled of it, and each site's salt epoch."""

    recalled: frozenset[str]
    salts: frozenset[tuple[str, int]]

    def serves(self, wanted: "Warmth") -> bool:
        """True if nothing that is wanted would be cold."""
        return self.recalled == wanted.recalled and self.salts >= wanted.salts


class Packs:
    """`warm(pack)` brings a new version to the replicas; it may be set after the making."""

    def __init__(self, store: Store, folder: Path = FOLDER) -> None:
        self.warm: Callable[[Pack], Awaitable[None]] | None = None
        self._store, self._folders = store, Folders(folder)
        self._known: dict[Key, Pack] = {}
        self._standing: dict[str, tuple[Release, ...]] = {}
        self._current: frozenset[Key] = frozenset()  # the versions that new conversations may get
        self._warm: dict[Key, Warmth] = {}  # how each version was last brought to the replicas
        self._spoken: dict[Key, float] = {}  # when a conversation last asked for it, by the monotonic clock
        self._warming: dict[Key, asyncio.Task[None]] = {}
        self._recalled: dict[str, frozenset[str]] = {}
        self._sites: list[Site] = []

    async def open(self) -> None:
        """Release what the folder holds and learn what else is released; every replica still has to be warmed.

        Raises PackError or LookupConfigError for a pack with mistakes of which no version ever served, Unavailable.
        """
        await self._publish(settled=False)
        await self._refresh()
        for name, refusal in self._folders.refusals.items():
            if name not in self._standing:
                raise refusal
        self._warm = {key: self._wanted(key) for key in self._current}

    async def run(self) -> None:
        """Heed edits, releases, roll-backs and recalls until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                try:
                    await self._look()
                except Unavailable:
                    log.warning("store_unavailable", loop="packs")
                except Exception:
                    log.exception("packs_not_read")
        finally:
            for task in self._warming.values():
                task.cancel()

    def __contains__(self, name: str) -> bool:
        return name in self._standing

    def __iter__(self) -> Iterator[Pack]:
        """Every version that new conversations may get, now or once it is warm."""
        return (self._known[_key(each)] for versions in self._standing.values() for each in chain(versions))

    def named(self, name: str) -> Pack:
        """The version that most new conversations get. Raises UnknownPack."""
        return self._choose(name, BUCKETS - 1)

    def begun(self, site: Site, conversation_id: str) -> Pack:
        """The version with which a new conversation begins. Raises UnknownPack."""
        if site.pack_version and (pinned := self._known.get((site.pack, site.pack_version))):
            return pinned
        return self._choose(site.pack, bucket_of(conversation_id))

    def of_site(self, site: Site) -> list[Pack]:
        """Every version that a new conversation of the site may get; none for a pack that nobody knows."""
        if site.pack_version and (pinned := self._known.get((site.pack, site.pack_version))):
            return [pinned]
        return [self._known[_key(each)] for each in chain(self._standing.get(site.pack, ()))]

    async def get(self, name: str, version: str) -> Pack:
        """The version that a conversation began with.

        One that cannot be read any more gives way to the present one, so that the conversation can go on. Raises
        UnknownPack, Unavailable.
        """
        try:
            pack = await self._load((name, version))
        except (NotFound, PackError) as error:
            log.warning("pack_version_lost", pack=name, version=version, error_type=type(error).__name__)
            return self.named(name)
        self._spoken[name, version] = time.monotonic()
        if (name, version) not in self._current:
            # A version of running conversations: they have warmed it, as it is now.
            self._warm.setdefault((name, version), self._wanted((name, version)))
        return pack

    def speakable(self, pack: Pack) -> frozenset[str] | None:
        """The templates that the engine may choose now; None for all of the pack's."""
        return speakable(pack, self.recalled(pack.name))

    def recalled(self, name: str) -> frozenset[str]:
        """The pack's templates that no customer gets any more."""
        return self._recalled.get(name, frozenset())

    async def _look(self) -> None:
        await self._publish(settled=True)
        await self._refresh()
        self._warm_what_changed()

    async def _publish(self, *, settled: bool) -> None:
        """Release what has changed in the folder."""
        for written in await asyncio.to_thread(self._folders.look, settled=settled):
            pack = written.pack
            async with self._store.begin() as repo:
                release = await repo.packs.release(pack.name, pack.version, written.files, pack.rollout)
            self._known.setdefault((pack.name, pack.version), pack)
            told = "pack_withdrawn" if release.is_withdrawn else "pack_released"
            log.info(told, pack=pack.name, version=pack.version, rollout=release.rollout)

    async def _refresh(self) -> None:
        """Learn what the store says, and hold every version that it names."""
        async with self._store.read() as repo:
            releases = await repo.packs.releases()
            recalled = await repo.packs.recalled()
            self._sites = [site for site in await repo.sites.list(Server()) if site.enabled]
        pinned = [(site.pack, site.pack_version) for site in self._sites if site.pack_version]
        self._recall(recalled)
        by_name = sorted(releases, key=lambda each: each.name)
        groups = {name: tuple(group) for name, group in groupby(by_name, key=lambda each: each.name)}
        for key in [*(_key(each) for group in groups.values() for each in chain(group)), *pinned]:
            await self._hold(key)
        before = self._current
        self._standing = {name: held for name, group in groups.items() if (held := self._held(group))}
        self._current = frozenset((pack.name, pack.version) for pack in self) | (self._known.keys() & pinned)
        for key in self._current - before:
            # Rolled back to, perhaps: the replicas may have booted since it was warm.
            self._warm.pop(key, None)

    def _recall(self, stored: dict[str, frozenset[str]]) -> None:
        listed = self._folders.recalled()
        both = {name: stored.get(name, frozenset()) | listed.get(name, frozenset()) for name in stored | listed}
        recalled = {name: templates for name, templates in both.items() if templates}
        if recalled != self._recalled:
            log.info("templates_recalled", recalled={name: sorted(ids) for name, ids in recalled.items()})
        self._recalled = recalled

    async def _hold(self, key: Key) -> None:
        try:
            await self._load(key)
        except (NotFound, PackError) as error:
            log.warning("pack_version_lost", pack=key[0], version=key[1], error_type=type(error).__name__)

    async def _load(self, key: Key) -> Pack:
        """Raises NotFound, PackError, Unavailable."""
        if key not in self._known:
            async with self._store.read() as repo:
                files = await repo.packs.files(*key)
            self._known[key] = await asyncio.to_thread(pack_of, key[0], files, approved=True)
        return self._known[key]

    def _held(self, versions: Sequence[Release]) -> tuple[Release, ...]:
        return tuple(each for each in versions if not each.is_withdrawn and _key(each) in self._known)

    def _choose(self, name: str, bucket: int) -> Pack:
        """While a version warms up, those before it go on serving; a cold one is better than a withdrawn one."""
        if name not in self._standing:
            raise UnknownPack(f"There is no pack {name!r}.")
        versions = self._standing[name]
        warm = [each for each in versions if _key(each) in self._warm]
        return self._known[_key(chosen(chain(warm or versions), bucket))]

    def _warm_what_changed(self) -> None:
        for key, pack in self._known.items():
            if key not in self._warming and self._is_cold(key):
                self._warming[key] = asyncio.create_task(self._warm_up(key, pack), name=f"warm {' '.join(key)}")

    def _is_cold(self, key: Key) -> bool:
        """True for a version that the replicas do not know yet, or know with another grammar or for other sites."""
        in_use = key in self._current or self._spoken.get(key, -inf) > time.monotonic() - SPOKEN_FOR_S
        return in_use and not (key in self._warm and self._warm[key].serves(self._wanted(key)))

    def _wanted(self, key: Key) -> Warmth:
        """How the version would be brought to the replicas now."""
        salts = frozenset((site.key, site.salt_epoch) for site in self._sites if site.pack == key[0])
        return Warmth(self.recalled(key[0]), salts)

    async def _warm_up(self, key: Key, pack: Pack) -> None:
        """A warm-up that fails costs the first conversation a cold start, and nothing else."""
        wanted = self._wanted(key)
        try:
            if self.warm is not None:
                await self.warm(pack)
        except Exception:
            log.exception("pack_not_warm", pack=pack.name, version=pack.version)
        told = "pack_warm_again" if key in self._warm else "pack_live"
        self._warm[key] = wanted
        del self._warming[key]
        log.info(told, pack=pack.name, version=pack.version)


def _key(release: Release) -> Key:
    return (release.name, release.version)
