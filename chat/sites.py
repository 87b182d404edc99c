"""Administers sites: `python -m chat.sites add|set|rotate|sign|list`. What is secret is shown once, here only."""

import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from chat import identity
from chat.command import execute
from chat.origins import parse_origin
from chat.prepare import prepare
from sessions import NotFound, Repository, Scope, Server, Site

SECRETS_KEPT = 2
"""The new identity secret and the one before, until the website has changed over."""


async def add(repo: Repository, given: Namespace) -> list[str]:
    """A new site with its first identity secret."""
    await _require_pack(repo, given.pack)
    secret = secrets.token_urlsafe(32)
    await repo.sites.add(
        Site(
            key=given.key,
            name=given.name or given.key,
            allowed_origins=given.origin or [],
            pack=given.pack or "demo-shop",
            secrets=[secret],
        )
    )
    return [f"site {given.key} added", f"identity secret (shown this once): {secret}"]


async def change(repo: Repository, given: Namespace) -> list[str]:
    """Change what is named and nothing else; make or revoke an API key of the site."""
    await _require_pack(repo, given.pack)
    named = {"name": given.name, "pack": given.pack, "allowed_origins": given.origin, "enabled": given.enabled}
    named["identity_required"] = given.identity_required
    changes = {name: value for name, value in named.items() if value is not None}
    await repo.sites.update(given.key, **changes)
    told = [f"site {given.key}: {', '.join(changes)} set"] if changes else []
    if given.add_key:
        key = await repo.sites.add_key(given.add_key, [given.key], given.label or given.add_key.value)
        told.append(f"{given.add_key.value} key (shown this once): {key}")
    if given.revoke_key:
        await repo.sites.revoke(given.revoke_key)
        told.append(f"key {given.revoke_key} revoked")
    return told or ["nothing to change: see --help"]


async def _require_pack(repo: Repository, name: str | None) -> None:
    """Raises NotFound for a pack of which no version was ever released."""
    if name is not None and not await repo.packs.releases(name):
        raise NotFound(f"There is no pack {name!r}: see `python -m chat.packs list`.")


async def rotate(repo: Repository, given: Namespace) -> list[str]:
    """A new identity secret beside the newest old one, or a new cache salt."""
    site = await repo.sites.get(given.key)
    if site is None:
        raise NotFound(f"There is no site {given.key!r}.")
    if given.salt:
        await repo.sites.update(given.key, salt_epoch=site.salt_epoch + 1)
        return [f"site {given.key}: what the replicas have cached for it is unreachable from now on"]
    secret = secrets.token_urlsafe(32)
    await repo.sites.update(given.key, secrets=[secret, *site.secrets][:SECRETS_KEPT])
    return [f"identity secret (shown this once): {secret}"]


async def sign(repo: Repository, given: Namespace) -> list[str]:
    """An identity as the website's server signs it, to try the widget with; good for five minutes and one use."""
    site = await repo.sites.get(given.key)
    if site is None or not site.secrets:
        raise NotFound(f"There is no site {given.key!r} with an identity secret: see rotate.")
    return [identity.sign(site.key, site.secrets[0], given.subject)]


async def show(repo: Repository, given: Namespace) -> list[str]:
    """Every site and its keys, without anything secret."""
    told = []
    for site in await repo.sites.list(Server()):
        state = "enabled" if site.enabled else "disabled"
        origins = ", ".join(site.allowed_origins) or "none"
        served = "identity required" if site.identity_required else "anonymous ones too"
        told.append(f"{site.key}  {site.name}  pack {site.pack}  {state}  {served}  origins: {origins}")
    for key in await repo.sites.keys():
        where = ", ".join(key.sites) if key.sites is not None else "every site"
        told.append(f"{key.id}  {key.label}  {key.scope}  {where}{'  revoked' if key.revoked_at else ''}")
    return told


def parser() -> ArgumentParser:
    top = ArgumentParser(prog="python -m chat.sites", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="add|set|rotate|sign|list")
    for name, run in (("add", add), ("set", change)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("key", help="public key of the site")
        command.add_argument("--name")
        command.add_argument("--pack", help="folder under prompts/packs")
        command.add_argument("--origin", action="append", type=parse_origin, help="allowed to embed; repeatable")
        if run is change:
            _add_change_arguments(command)
    command = commands.add_parser("rotate", help=rotate.__doc__)
    command.set_defaults(run=rotate)
    command.add_argument("key")
    command.add_argument("--salt", action="store_true", help="the cache salt instead of the identity secret")
    command = commands.add_parser("sign", help=sign.__doc__)
    command.set_defaults(run=sign, reads=True)
    command.add_argument("key")
    command.add_argument("subject", help="the website's own id for the person")
    commands.add_parser("list", help=show.__doc__).set_defaults(run=show, reads=True)
    return top


def _add_change_arguments(command: ArgumentParser) -> None:
    command.add_argument("--no-origins", dest="origin", action="store_const", const=[])
    command.add_argument("--enable", dest="enabled", action="store_const", const=True)
    command.add_argument("--disable", dest="enabled", action="store_const", const=False)
    served = {"dest": "identity_required", "action": "store_const"}
    command.add_argument("--require-identity", const=True, help="serve persons whom the website proves, only", **served)
    command.add_argument("--allow-anonymous", const=False, **served)
    command.add_argument("--add-key", type=Scope, choices=list(Scope), metavar="agent|operator|inference")
    command.add_argument("--label", help="whose key it is")
    command.add_argument("--revoke-key", metavar="ID", help="see list")


def main(argv: Sequence[str] | None = None) -> int:
    return execute(parser(), argv, before=prepare)


if __name__ == "__main__":
    raise SystemExit(main())
