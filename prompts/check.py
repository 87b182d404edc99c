"""`python -m prompts check`: every mistake of a pack before a customer meets it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from prompts.callables import check_callable
from prompts.confusion import Confusion, examine
from prompts.errors import LookupConfigError, PackError, Problem
from prompts.figures import Figures, measure
from prompts.load import line_of, load_pack
from prompts.pack import Pack

PACKS = Path(__file__).parent / "packs"
CONTEXT_TOKENS = 4096
MAX_CONTEXT_SHARE = 0.5


@dataclass(frozen=True)
class Report:
    """The outcome for one pack; without `figures` it could not be loaded. `confusions` are advice, not mistakes."""

    name: str
    problems: tuple[Problem, ...]
    figures: Figures | None = None
    confusions: tuple[Confusion, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def lines(self) -> list[str]:
        """The report for a terminal."""
        told = [f"{self.name}/{problem}" for problem in self.problems]
        told += [f"{self.name}: {confusion}" for confusion in self.confusions]
        if self.figures is None:
            return told
        counted = "" if self.figures.counted else " (estimated: --model and --replica give a count)"
        ms = self.figures.grammar.ms
        grammar = f"compiled in {ms:.0f} ms" if ms is not None else "not compiled here"
        return [
            *told,
            f"{self.name}: {'ok' if self.ok else 'refused'}, {self.figures.templates} templates, "
            f"system prompt {self.figures.prompt_tokens} tokens{counted}, grammar {grammar}",
        ]


def check(
    folder: Path, *, model: Path | None = None, context_tokens: int = CONTEXT_TOKENS, replica: str | None = None
) -> Report:
    """Checks the pack in `folder`.

    `model` is the folder of the served model, for exact figures; `replica` the HTTP root of one that serves it, which
    also tells its context and what it confuses. Raises httpx.HTTPError for a replica that does not answer.
    """
    try:
        pack = load_pack(folder)
    except PackError as error:
        return Report(folder.name, tuple(error.problems))
    if uncallable := _uncallable(folder, pack):
        return Report(folder.name, uncallable)
    if replica is None:
        return _weighed(folder, pack, measure(pack, model), context_tokens)
    seen = examine(pack, replica)
    return dataclasses.replace(_weighed(folder, pack, seen.figures, seen.context_tokens), confusions=seen.confusions)


def _weighed(folder: Path, pack: Pack, figures: Figures, context_tokens: int) -> Report:
    """Refuses a pack whose grammar does not compile, or that leaves too little of the context to conversations."""
    problems = [_uncompiled(folder, name, why) for name, why in figures.grammar.refused.items()]
    allowed = int(context_tokens * MAX_CONTEXT_SHARE)
    if figures.prompt_tokens > allowed:
        message = f"The system prompt has {figures.prompt_tokens} tokens; half of the context is {allowed}."
        problems.append(Problem("system.md", 1, message, "Remove templates or policies, or serve a longer context."))
    return Report(pack.name, tuple(problems), figures)


def _uncallable(folder: Path, pack: Pack) -> tuple[Problem, ...]:
    """Lookups whose function is not there. Importing it is no part of loading a pack."""
    problems, text = [], (folder / "pack.toml").read_text(encoding="utf-8")
    for name, lookup in pack.lookups.items():
        try:
            check_callable(lookup)
        except LookupConfigError as error:
            remedy = f"Write `async def f(store, *, {', '.join(lookup.args)})` there, or correct the name."
            problems.append(Problem("pack.toml", line_of(text, ("lookups", name, "callable")), str(error), remedy))
    return tuple(problems)


def _uncompiled(folder: Path, template: str, why: str) -> Problem:
    file = f"templates/{template}.toml"
    line = line_of((folder / file).read_text(encoding="utf-8"), ("slots",))
    return Problem(file, line, f"The engine cannot compile the grammar of its slots: {why}", "Simplify [slots].")


def pack_folders(names: list[str]) -> list[Path]:
    """Folders of packs given by name or path; all that ship if none is given."""
    if not names:
        return sorted(path.parent for path in PACKS.glob("*/pack.toml"))
    return [PACKS / name if (PACKS / name).is_dir() else Path(name) for name in names]
