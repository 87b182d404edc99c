"""Recalled templates: stopped at once, also in running conversations, until they are restored.

`recalled.toml` in a pack's folder lists them. It is no part of the pack's version: the catalogue that replicas have
cached stays as it is, and the grammar leaves the template out.
"""

import tomllib
from collections.abc import Set
from datetime import UTC, datetime
from pathlib import Path

from prompts.errors import PackError, Problem
from prompts.pack import Notice, Pack

RECALLED = "recalled.toml"
_HEAD = "# Templates that no customer gets any more. `python -m prompts recall` and `restore` write this file.\n\n"


def recalled_in(folder: Path) -> frozenset[str]:
    """The templates that a pack's folder recalls. Raises `PackError` if the list cannot be read."""
    return frozenset(_read(folder))


def recall(folder: Path, template: str) -> None:
    """Add a template to the folder's list; repeating it changes nothing. Raises `PackError`."""
    listed = _read(folder)
    listed.setdefault(template, datetime.now(UTC).isoformat(timespec="seconds"))
    _write(folder, listed)


def restore(folder: Path, template: str) -> None:
    """Take a template from the folder's list. Raises `PackError`."""
    listed = _read(folder)
    listed.pop(template, None)
    _write(folder, listed)


def speakable(pack: Pack, recalled: Set[str]) -> frozenset[str] | None:
    """The templates that the engine may choose; None for all of them.

    A template whose fall-back is recalled is left out with it.
    """
    stopped = {each.id for each in pack.offered if recalled & {each.id, *each.fallbacks}}
    return frozenset(each.id for each in pack.offered if each.id not in stopped) if stopped else None


def recall_refusal(pack: Pack, template: str, recalled: Set[str] = frozenset()) -> str | None:
    """Why a template of this pack cannot be recalled; None if it can."""
    if template in set(Notice):
        return f"{template} is what the application itself says: correct its text instead."
    left = speakable(pack, recalled | {template})
    return None if left is None or left else f"Nothing would be left to say without {template}."


def _read(folder: Path) -> dict[str, str]:
    path = folder / RECALLED
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError([Problem(RECALLED, 1, f"Not TOML: {error}.", "Correct or delete the file.")]) from error
    return {name: str(since) for name, since in listed.items()}


def _write(folder: Path, listed: dict[str, str]) -> None:
    """Replaces the file at once, so that nobody reads half of it."""
    draft = folder / f".{RECALLED}.new"
    draft.write_text(_HEAD + "".join(f'"{name}" = "{since}"\n' for name, since in listed.items()), encoding="utf-8")
    draft.replace(folder / RECALLED)
