"""The packs that this process serves, by name."""

from collections.abc import Iterator
from pathlib import Path

from prompts import Pack, load_pack

FOLDER = Path(__file__).parent.parent / "prompts" / "packs"


class UnknownPack(Exception):
    """A site names a pack that is not in the folder."""


class Packs:
    """Packs are read once, at start."""

    def __init__(self, packs: dict[str, Pack]) -> None:
        self._packs = packs

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Packs":
        """Read every pack of a folder; raises prompts.PackError."""
        found = sorted(path.parent for path in folder.glob("*/pack.toml"))
        return cls({pack.name: pack for pack in map(load_pack, found)})

    def __iter__(self) -> Iterator[Pack]:
        return iter(self._packs.values())

    def __contains__(self, name: str) -> bool:
        return name in self._packs

    def named(self, name: str) -> Pack:
        """Raises UnknownPack."""
        try:
            return self._packs[name]
        except KeyError:
            raise UnknownPack(f"There is no pack {name!r}.") from None
