"""From a pack's files to a pack. All mistakes are found in one reading, each with its file and line.

A template's id is its file's name. Reading the folder is the only I/O of `prompts` besides `recall`.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from prompts.errors import BodyError, PackError, Problem
from prompts.files import PackFile, TemplateFile
from prompts.pack import Pack
from prompts.render import render
from prompts.rules import Mistake, mistakes
from prompts.source import Files, content_hash, lines_joined, read_files
from prompts.template import Template

Form = TypeVar("Form", bound=BaseModel)


def load_pack(folder: str | Path) -> Pack:
    """The pack in `folder`. Raises `PackError` with every mistake of form or, if there is none, of `rules`."""
    root = Path(folder)
    return pack_of(root.name, read_files(root))


def pack_of(name: str, files: Files, *, approved: bool = False) -> Pack:
    """The pack called `name` that the files hold. Raises `PackError` as `load_pack` does.

    `approved` files served before: they are held to their form only, because the rules may have become stricter.
    """
    pack = _read(name, files)
    problems = [] if approved else [_placed(files, mistake) for mistake in mistakes(pack)]
    if problems:
        raise PackError(problems)
    return pack


def _read(name: str, files: Files) -> Pack:
    """The pack as its files say. Raises `PackError` with every mistake of form."""
    problems: list[Problem] = []
    header = _parse("pack.toml", files, PackFile, problems)
    found = sorted(path for path in files if path.startswith("templates/"))
    templates = {PurePosixPath(path).stem: _template(path, files, problems) for path in found}
    if not templates:
        problems.append(Problem("templates", 0, "The pack has no template.", "Add templates/<id>.toml."))
    system = _prose("system.md", files, header, problems)
    policies = [_prose(path, files, header, problems) for path in sorted(files) if path.startswith("policies/")]
    if problems or header is None:
        raise PackError(problems)
    return Pack(
        name=name,
        version=content_hash(files),
        system=system,
        policies=tuple(policies),
        templates={key: template for key, template in templates.items() if template is not None},
        **dict(header),
    )


def _placed(files: Files, mistake: Mistake) -> Problem:
    """A mistake with the line on which its keys stand."""
    text = lines_joined(files.get(mistake.file, ""))
    line = line_of(text, mistake.keys)
    if mistake.body_line and text.splitlines()[line - 1].rstrip().endswith(('"""', "'''")):
        line += mistake.body_line
    return Problem(mistake.file, line, mistake.message, mistake.remedy)


def _template(path: str, files: Files, problems: list[Problem]) -> Template | None:
    """One template file."""
    form, name = _parse(path, files, TemplateFile, problems), PurePosixPath(path).stem
    if form is None:
        return None
    if form.id not in (None, name):
        message = f"The template is called {form.id} and its file {name}."
        problems.append(Problem(path, 1, message, "Leave `id` out: the file's name counts."))
    return form.template(name)


def _prose(path: str, files: Files, header: PackFile | None, problems: list[Problem]) -> str:
    """A part of the system prompt; it may print `{{ brand }}` and `{{ tone }}`."""
    values = {"brand": header.brand, "tone": header.tone} if header else {"brand": "", "tone": ""}
    if path not in files:
        problems.append(_missing(path))
        return ""
    try:
        return render(lines_joined(files[path]), values)
    except BodyError as error:
        problems.append(Problem(path, 1, str(error), "Use only {{ brand }} and {{ tone }}."))
    return ""


def _parse(path: str, files: Files, form: type[Form], problems: list[Problem]) -> Form | None:
    """A TOML file read as `form`, or None with the file's mistakes added to `problems`."""
    if path not in files:
        problems.append(_missing(path))
        return None
    text = lines_joined(files[path])
    try:
        return form.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        problems.append(Problem(path, int(line[1]) if line else 1, f"Not TOML: {error}.", "Correct the line."))
    except ValidationError as error:
        problems += [_problem(path, text, dict(detail)) for detail in error.errors()]
    return None


def _missing(path: str) -> Problem:
    return Problem(path, 0, "The file is missing.", "Write it.")


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
