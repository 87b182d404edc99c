"""Reading a pack's folder. The only I/O of `prompts`.

    pack.toml  system.md  policies/*.md  templates/*.toml

A template's id is its file's name. All mistakes are found in one reading, each with its file and line.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from prompts.errors import BodyError, PackError, Problem
from prompts.files import PackFile, TemplateFile
from prompts.pack import Pack
from prompts.render import render
from prompts.rules import Mistake, mistakes
from prompts.template import Template

VERSION_DIGITS = 12

Form = TypeVar("Form", bound=BaseModel)


def load_pack(folder: str | Path) -> Pack:
    """The pack in `folder`. Raises `PackError` with every mistake of form or, if there is none, of `rules`."""
    root = Path(folder)
    pack = _read(root)
    problems = [_placed(root, mistake) for mistake in mistakes(pack)]
    if problems:
        raise PackError(problems)
    return pack


def _read(root: Path) -> Pack:
    """The pack as its files say. Raises `PackError` with every mistake of form."""
    problems: list[Problem] = []
    header = _parse(root / "pack.toml", root, PackFile, problems)
    templates = {path.stem: _template(path, root, problems) for path in sorted(root.glob("templates/*.toml"))}
    if not templates:
        problems.append(Problem("templates", 0, "The pack has no template.", "Add templates/<id>.toml."))
    system = _prose(root / "system.md", root, header, problems)
    policies = [_prose(path, root, header, problems) for path in sorted(root.glob("policies/*.md"))]
    if problems or header is None:
        raise PackError(problems)
    return Pack(
        name=root.name,
        version=content_hash(root),
        system=system,
        policies=tuple(policies),
        templates={key: template for key, template in templates.items() if template is not None},
        **dict(header),
    )


def _placed(root: Path, mistake: Mistake) -> Problem:
    """A mistake with the line on which its keys stand."""
    path = root / mistake.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    line = line_of(text, mistake.keys)
    if mistake.body_line and text.splitlines()[line - 1].rstrip().endswith(('"""', "'''")):
        line += mistake.body_line
    return Problem(mistake.file, line, mistake.message, mistake.remedy)


def content_hash(root: Path) -> str:
    """The first 12 hex digits of SHA-256 over the names and bytes of the pack's files."""
    digest = hashlib.sha256()
    for path in sorted([*root.glob("*.toml"), *root.glob("*.md"), *root.glob("*/*.toml"), *root.glob("*/*.md")]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:VERSION_DIGITS]


def _template(path: Path, root: Path, problems: list[Problem]) -> Template | None:
    """One template file."""
    form = _parse(path, root, TemplateFile, problems)
    if form is None:
        return None
    if form.id not in (None, path.stem):
        message = f"The template is called {form.id} and its file {path.stem}."
        problems.append(
            Problem(path.relative_to(root).as_posix(), 1, message, "Leave `id` out: the file's name counts.")
        )
    return form.template(path.stem)


def _prose(path: Path, root: Path, header: PackFile | None, problems: list[Problem]) -> str:
    """A part of the system prompt; it may print `{{ brand }}` and `{{ tone }}`."""
    name = path.relative_to(root).as_posix()
    try:
        values = {"brand": header.brand, "tone": header.tone} if header else {"brand": "", "tone": ""}
        return render(path.read_text(encoding="utf-8"), values)
    except FileNotFoundError:
        problems.append(Problem(name, 0, "The file is missing.", "Write it."))
    except (BodyError, UnicodeDecodeError) as error:
        problems.append(Problem(name, 1, str(error), "Use only {{ brand }} and {{ tone }}, in UTF-8."))
    return ""


def _parse(path: Path, root: Path, form: type[Form], problems: list[Problem]) -> Form | None:
    """A TOML file read as `form`, or None with the file's mistakes added to `problems`."""
    name = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
        return form.model_validate(tomllib.loads(text))
    except FileNotFoundError:
        problems.append(Problem(name, 0, "The file is missing.", "Write it."))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        problems.append(Problem(name, int(line[1]) if line else 1, f"Not TOML: {error}.", "Correct the line."))
    except ValidationError as error:
        problems += [_problem(name, text, dict(detail)) for detail in error.errors()]
    return None


def _problem(file: str, text: str, detail: Mapping[str, Any]) -> Problem:
    """One of pydantic's complaints as a problem of a file."""
    where = ".".join(str(part) for part in detail["loc"]) or "the file"
    remedy = "Remove the key or correct its name." if detail["type"] == "extra_forbidden" else f"Correct {where}."
    return Problem(file, line_of(text, detail["loc"]), f"{where}: {detail['msg']}.", remedy)


def line_of(text: str, keys: tuple[int | str, ...]) -> int:
    """The 1-based line on which TOML names `keys`, as far as they can be followed; 1 if not at all."""
    lines, found = text.splitlines(), 0
    for key in (key for key in keys if isinstance(key, str)):
        named = re.compile(rf"^\s*(?:\[.*\b{re.escape(key)}\b.*\]|.*\b{re.escape(key)}\s*=)")
        found = next((at for at in range(found, len(lines)) if named.match(lines[at])), found)
    return found + 1
