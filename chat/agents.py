"""Administers accounts of the staff: `python -m chat.agents add|set|list|log`.

A password is asked for, or read as a line from standard input: an argument would stand in the list of processes.
"""

import getpass
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chat.command import execute
from chat.prepare import prepare
from chat.signin.passwords import hashed
from sessions import NotFound, Repository, Scope

ACTOR = "python -m chat.agents"
_ROLES = [Scope.AGENT, Scope.OPERATOR]


async def add(repo: Repository, given: Namespace) -> list[str]:
    """A new account. `--no-password` is for people who sign in by the identity provider only."""
    await _require_sites(repo, given.site)
    kept = None if given.no_password else hashed(_asked())
    account = await repo.people.add(given.login, given.name or given.login, given.role or [Scope.AGENT], given.site)
    account.password_hash = kept
    await repo.audit.write(ACTOR, "account.added", about=account.id, roles=account.roles, sites=account.sites)
    return [f"account {account.login} added: it signs in at /agent"]


async def change(repo: Repository, given: Namespace) -> list[str]:
    """Change what is named and nothing else; the account is signed out everywhere."""
    await _require_sites(repo, given.site)
    changes: dict[str, Any] = {"name": given.name, "roles": given.role, "sites": given.site}
    changes = {name: value for name, value in changes.items() if value is not None}
    changes |= {"sites": None} if given.every_site else {}
    changes |= {"password_hash": hashed(_asked())} if given.password else {}
    changes |= {"subject": None} if given.forget_identity else {}
    if given.enabled is not None:
        changes["disabled_at"] = None if given.enabled else datetime.now(UTC)
    if not changes:
        return ["nothing to change: see --help"]
    account = await repo.people.update(given.login, **changes)
    await repo.people.end_sessions(account.id)
    await repo.audit.write(ACTOR, "account.changed", about=account.id, fields=sorted(changes))
    return [f"account {account.login}: {', '.join(sorted(changes))} set"]


async def show(repo: Repository, given: Namespace) -> list[str]:
    """Every account, without anything secret."""
    told = []
    for each in await repo.people.list():
        where = ", ".join(each.sites) if each.sites is not None else "every site"
        ways = [*(["password"] if each.password_hash else []), *(["identity provider"] if each.subject else [])]
        state = "disabled" if each.disabled_at else " and ".join(ways) or "has never signed in"
        told.append(f"{each.login}  {each.name}  {'+'.join(each.roles)}  {where}  {state}")
    return told or ["there is no account yet: see add"]


async def log(repo: Repository, given: Namespace) -> list[str]:
    """The newest entries of the audit log, oldest first."""
    entries = await repo.audit.list(limit=given.limit)
    return [
        "  ".join(
            filter(None, (e.at.isoformat(" ", "seconds"), e.actor, e.action, e.about, e.address, str(e.details or "")))
        )
        for e in reversed(entries)
    ] or ["nothing has happened yet"]


async def _require_sites(repo: Repository, keys: Sequence[str] | None) -> None:
    for key in keys or ():
        if await repo.sites.get(key) is None:
            raise NotFound(f"There is no site {key!r}: see `python -m chat.sites list`.")


def _asked() -> str:
    """The password; raises ValueError when the two that were typed differ."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise ValueError("the two passwords differ")
    return password


def parser() -> ArgumentParser:
    top = ArgumentParser(prog="python -m chat.agents", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="add|set|list|log")
    for name, run in (("add", add), ("set", change)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("login", help="mail address, by which the identity provider knows the account, too")
        command.add_argument("--name", help="what customers and colleagues read")
        command.add_argument("--role", action="append", type=Scope, choices=_ROLES, metavar="agent|operator")
        where = command.add_mutually_exclusive_group(required=run is add)
        where.add_argument("--site", action="append", help="key of a site the account works for; repeatable")
        where.add_argument("--every-site", action="store_true")
        if run is change:
            _add_change_arguments(command)
        else:
            command.add_argument("--no-password", action="store_true")
    commands.add_parser("list", help=show.__doc__).set_defaults(run=show, reads=True)
    command = commands.add_parser("log", help=log.__doc__)
    command.set_defaults(run=log, reads=True)
    command.add_argument("--limit", type=int, default=50)
    return top


def _add_change_arguments(command: ArgumentParser) -> None:
    command.add_argument("--password", action="store_true", help="ask for a new one")
    command.add_argument("--forget-identity", action="store_true", help="bind the provider's identity anew")
    command.add_argument("--enable", dest="enabled", action="store_const", const=True)
    command.add_argument("--disable", dest="enabled", action="store_const", const=False)


def main(argv: Sequence[str] | None = None) -> int:
    return execute(parser(), argv, before=prepare)


if __name__ == "__main__":
    raise SystemExit(main())
