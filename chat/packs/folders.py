"""The packs on this machine's disk, read again when they change.

Looked at rather than watched: what a look costs (a `stat` for each file, under a millisecond) is not worth a watcher
that misses changes on network disks and mounted volumes.
"""

from dataclasses import dataclass
from pathlib import Path

import structlog

from chat.lookups import check_lookups
from prompts import LookupConfigError, Pack, PackError, pack_of, paths_of, read_files, recalled_in

log = structlog.get_logger(__name__)

FOLDER = Path(__file__).parents[2] / "prompts" / "packs"

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Written:
    """A pack that may serve, and the files that it was read from."""

    pack: Pack
    files: dict[str, str]


class Folders:
    """Every folder under `root` with a `pack.toml`. Not to be used from two threads at once."""

    def __init__(self, root: Path) -> None:
        self.refusals: dict[str, PackError | LookupConfigError] = {}
        self._root = root
        self._taken: dict[str, Signature] = {}
        self._last: dict[str, Signature] = {}
        self._recalled: dict[str, frozenset[str]] = {}

    def look(self, *, settled: bool = True) -> list[Written]:
        """The packs that changed since they were last given out.

        With `settled`, a change counts once two looks have seen the same: nobody gets half of an edit. A pack with
        mistakes is refused with a line in the log, until it changes again.
        """
        found = {path.parent.name: path.parent for path in self._root.glob("*/pack.toml")}
        signatures = {name: _signature(folder) for name, folder in found.items()}
        changed = [
            name
            for name, signature in signatures.items()
            if signature != self._taken.get(name) and (not settled or signature == self._last.get(name))
        ]
        self._last = signatures
        self._taken |= {name: signatures[name] for name in changed}
        return [written for name in changed if (written := self._read(found[name])) is not None]

    def recalled(self) -> dict[str, frozenset[str]]:
        """What each folder's list recalls; a list that cannot be read counts as it was before."""
        for path in self._root.glob("*/pack.toml"):
            try:
                self._recalled[path.parent.name] = recalled_in(path.parent)
            except PackError as error:
                log.warning("recall_list_refused", pack=path.parent.name, problems=_told(error))
        return self._recalled

    def _read(self, folder: Path) -> Written | None:
        try:
            files = read_files(folder)
            pack = pack_of(folder.name, files)
            check_lookups(pack)
        except (PackError, LookupConfigError) as error:
            self.refusals[folder.name] = error
            log.warning("pack_refused", pack=folder.name, problems=_told(error))
            return None
        self.refusals.pop(folder.name, None)
        return Written(pack, files)


def _signature(folder: Path) -> Signature:
    """What tells one state of a folder from another; a file that vanishes meanwhile shows in the next look."""
    states = []
    for path in paths_of(folder):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        states.append((path.as_posix(), stat.st_mtime_ns, stat.st_size))
    return tuple(states)


def _told(error: PackError | LookupConfigError) -> list[str]:
    return str(error).splitlines()
