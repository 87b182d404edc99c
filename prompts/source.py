"""A pack's files as they are written: what a version is made of, kept and read again.

    pack.toml  system.md  policies/*.md  templates/*.toml

`recalled.toml`, which stops single templates, is no part of it: see `recall`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from prompts.errors import PackError, Problem

VERSION_DIGITS = 12

Files = Mapping[str, str]
"""Text by path, such as `templates/thanks.toml`; line ends as in the file."""

_PATTERNS = ("pack.toml", "system.md", "policies/*.md", "templates/*.toml")
_ROLLOUT = re.compile(r"^[ \t]*rollout[ \t]*=.*(?:\r?\n|\Z)", re.MULTILINE)


def paths_of(root: Path) -> Iterator[Path]:
    """The files of a pack's folder that are part of the pack."""
    for pattern in _PATTERNS:
        yield from sorted(root.glob(pattern))


def read_files(root: Path) -> dict[str, str]:
    """The files of a pack's folder. Raises `PackError` for bytes that are not UTF-8."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths_of(root):
        name = path.relative_to(root).as_posix()
        try:
            files[name] = path.read_bytes().decode()
        except UnicodeDecodeError as error:
            problems.append(Problem(name, 1, f"Not text: {error}.", "Save the file in UTF-8."))
    if problems:
        raise PackError(problems)
    return files


def content_hash(files: Files) -> str:
    """The first 12 hex digits of SHA-256 over the files' names and texts.

    Without `rollout`: how many conversations a version gets is not what it says in them.
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        text = _ROLLOUT.sub("", files[name], count=1) if name == "pack.toml" else files[name]
        content = text.encode()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:VERSION_DIGITS]


def lines_joined(text: str) -> str:
    """`text` with every line end as `\\n`, as Python reads text files."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
