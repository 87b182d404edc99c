"""Administers packs over the store: `python -m chat.packs list|rollback|recall|restore`.

Running servers heed it within two seconds, also those whose folders are elsewhere.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from chat.command import execute
from prompts import pack_of, recall_refusal
from sessions import NotFound, Repository


async def show(repo: Repository, given: Namespace) -> list[str]:
    """Every version that ever served, and what is recalled."""
    told = []
    for each in await repo.packs.releases(given.pack):
        state = "withdrawn" if each.is_withdrawn else f"{each.rollout} %"
        since = each.released_at.isoformat(sep=" ", timespec="seconds")
        told.append(f"{each.name}  {each.version}  released {since}  {state}")
    for pack, templates in sorted((await repo.packs.recalled()).items()):
        told += [f"{pack}  {template}  recalled" for template in sorted(templates) if given.pack in (None, pack)]
    return told or ["no version has served yet"]


async def roll_back(repo: Repository, given: Namespace) -> list[str]:
    """Give new conversations an earlier version again; running ones keep theirs."""
    release = await repo.packs.roll_back(given.pack, given.version and await _whole(repo, given.pack, given.version))
    return [f"new conversations on {release.name} begin with {release.version}"]


async def _whole(repo: Repository, pack: str, beginning: str) -> str:
    """The version that begins like this. Raises NotFound unless there is exactly one."""
    found = [each.version for each in await repo.packs.releases(pack) if each.version.startswith(beginning)]
    if len(found) != 1:
        raise NotFound(f"{len(found)} versions of {pack} begin with {beginning!r}: see list")
    return found[0]


async def recall(repo: Repository, given: Namespace) -> list[str]:
    """Stop a template at once, also in running conversations."""
    recalled = await repo.packs.recalled()
    found = []
    for name, version in await _newest(repo, given.pack):
        pack = pack_of(name, await repo.packs.files(name, version), approved=True)
        if given.template not in pack.templates:
            continue
        if refusal := recall_refusal(pack, given.template, recalled.get(name, frozenset())):
            raise NotFound(f"{name}: {refusal}")
        await repo.packs.recall(name, given.template)
        found.append(f"{name}: {given.template} is recalled")
    if not found:
        raise NotFound(f"No pack has a template {given.template!r}.")
    return found


async def restore(repo: Repository, given: Namespace) -> list[str]:
    """Offer a recalled template again."""
    names = [name for name, _ in await _newest(repo, given.pack)]
    found = [name for name in names if await repo.packs.restore(name, given.template)]
    if not found:
        raise NotFound(
            f"{given.template!r} is not recalled here; `python -m prompts restore` knows the folders' lists."
        )
    return [f"{name}: {given.template} is offered again" for name in found]


async def _newest(repo: Repository, name: str | None) -> list[tuple[str, str]]:
    """The present version of each pack, or of one."""
    newest: dict[str, str] = {}
    for each in await repo.packs.releases(name):
        newest.setdefault(each.name, each.version)
    return sorted(newest.items())


def parser() -> ArgumentParser:
    top = ArgumentParser(prog="python -m chat.packs", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="list|rollback|recall|restore")
    command = commands.add_parser("list", help=show.__doc__)
    command.set_defaults(run=show, reads=True)
    command.add_argument("pack", nargs="?")
    command = commands.add_parser("rollback", help=roll_back.__doc__)
    command.set_defaults(run=roll_back)
    command.add_argument("pack")
    command.add_argument("version", nargs="?", help="or its beginning; by default the version before the present one")
    for name, run in (("recall", recall), ("restore", restore)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("template")
        command.add_argument("--pack", help="only in this pack")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    return execute(parser(), argv)


if __name__ == "__main__":
    raise SystemExit(main())
