"""Administers webhooks: `python -m chat.webhooks add|list|set|rotate|remove|log|redeliver`. Secrets are shown once."""

import base64
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from chat.command import execute
from chat.prepare import prepare
from chat.settings import get_settings
from chat.webhooks.targets import check_url
from sessions import DeliveryState, NotFound, Repository, Server, WebhookKind
from sessions.columns import iso

SECRETS_KEPT = 2
"""The new secret and the one before: both sign, until the program has changed over."""


def new_secret() -> str:
    """As Standard Webhooks writes it: 256 random bits."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


async def add(repo: Repository, given: Namespace) -> list[str]:
    """Call a program back at URL."""
    if await repo.sites.get(given.site) is None:
        raise NotFound(f"There is no site {given.site!r}: see `python -m chat.sites list`.")
    url, secret = check_url(given.url, private=get_settings().webhook_private_targets), new_secret()
    endpoint = await repo.webhooks.add(given.site, url, secret, kinds=given.kind, masked=not given.unmasked)
    return [f"endpoint {endpoint.id} added", f"secret (shown this once): {secret}"]


async def show(repo: Repository, given: Namespace) -> list[str]:
    """Every endpoint, without anything secret."""
    told = [
        f"{each.id}  {each.site_key}  {each.url}  {', '.join(each.kinds or ['every event'])}"
        f"  {'masked' if each.masked else 'unmasked'}  {f'disabled: {each.disabled}' if each.disabled else 'enabled'}"
        for each in await repo.webhooks.endpoints()
    ]
    return told or ["no endpoints: see add"]


async def change(repo: Repository, given: Namespace) -> list[str]:
    """Change what is named and nothing else."""
    changes = {"kinds": given.kind} if given.kind else {}
    if given.masked is not None:
        changes["masked"] = given.masked
    if given.enabled:
        changes["disabled"] = None
    await repo.webhooks.update(given.endpoint, **changes)
    if given.enabled is False:
        await repo.webhooks.disable(given.endpoint, "by hand")
    return [f"endpoint {given.endpoint} changed"]


async def rotate(repo: Repository, given: Namespace) -> list[str]:
    """A new secret; the one before signs, too, until the next rotation (with --at-once it does not)."""
    endpoint, secret = await repo.webhooks.get(given.endpoint), new_secret()
    kept = 1 if given.at_once else SECRETS_KEPT
    await repo.webhooks.update(given.endpoint, secrets=[secret, *endpoint.secrets][:kept])
    return [f"secret (shown this once): {secret}"]


async def remove(repo: Repository, given: Namespace) -> list[str]:
    """Remove an endpoint and its log."""
    await repo.webhooks.remove(given.endpoint)
    return [f"endpoint {given.endpoint} removed"]


async def read_log(repo: Repository, given: Namespace) -> list[str]:
    """What was delivered, newest first."""
    found = await repo.webhooks.deliveries(Server(), endpoint_id=given.endpoint, state=given.state, limit=given.limit)
    told = [
        f"{each.delivery.id}  {iso(each.delivery.created_at)}  {each.delivery.kind}  {each.delivery.conversation_id}"
        f"  {each.delivery.state} after {each.delivery.tries}"
        f"  {each.delivery.error or each.delivery.status or ''}  {each.endpoint.url}".rstrip()
        for each in found
    ]
    return told or ["nothing was to be delivered"]


async def redeliver(repo: Repository, given: Namespace) -> list[str]:
    """Send a delivery once more, under its own id."""
    await repo.webhooks.redeliver(Server(), given.delivery)
    return [f"{given.delivery} is sent again"]


def parser() -> ArgumentParser:
    top = ArgumentParser(prog="python -m chat.webhooks", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="add|list|set|rotate|remove|log|redeliver")
    command = commands.add_parser("add", help=add.__doc__)
    command.set_defaults(run=add)
    command.add_argument("site")
    command.add_argument("url")
    _add_kind(command)
    command.add_argument("--unmasked", action="store_true", help="send personal data as it was written")
    commands.add_parser("list", help=show.__doc__).set_defaults(run=show, reads=True)
    for name, run in (("set", change), ("rotate", rotate), ("remove", remove)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("endpoint")
        if run is rotate:
            command.add_argument("--at-once", action="store_true", help="the secret has leaked")
        if run is change:
            _add_change_arguments(command)
    command = commands.add_parser("log", help=read_log.__doc__)
    command.set_defaults(run=read_log, reads=True)
    command.add_argument("--endpoint")
    command.add_argument("--state", type=DeliveryState, choices=list(DeliveryState), metavar="pending|delivered|dead")
    command.add_argument("--limit", type=int, default=50)
    command = commands.add_parser("redeliver", help=redeliver.__doc__)
    command.set_defaults(run=redeliver)
    command.add_argument("delivery")
    return top


def _add_kind(command: ArgumentParser) -> None:
    kinds = "|".join(WebhookKind)
    command.add_argument(
        "--kind", action="append", type=WebhookKind, choices=list(WebhookKind), metavar=kinds, help="repeatable"
    )


def _add_change_arguments(command: ArgumentParser) -> None:
    _add_kind(command)
    command.add_argument("--masked", action="store_true", default=None)
    command.add_argument("--unmasked", dest="masked", action="store_false", help="send personal data as it was written")
    command.add_argument("--enable", dest="enabled", action="store_true", default=None)
    command.add_argument("--disable", dest="enabled", action="store_false")


def main(argv: Sequence[str] | None = None) -> int:
    return execute(parser(), argv, before=prepare)


if __name__ == "__main__":
    raise SystemExit(main())
