"""Where replicas are found that come and go: a file that is read again, or the addresses behind a DNS name.

A replica's id follows from its address, so that every process calls it the same and pins outlive a new order. An
empty or failed answer changes nothing: better replicas that may be gone, which their watch finds out, than none.
"""

import asyncio
import hashlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import structlog

from backend.replicas import Replicas

log = structlog.get_logger(__name__)

Look = Callable[[], Awaitable[Sequence[str]]]
"""The HTTP roots that are there now. Raises OSError or ValueError when that cannot be said."""


def in_file(path: Path) -> Look:
    """One HTTP root a line; blank lines and what follows a `#` do not count."""

    async def look() -> Sequence[str]:
        text = await asyncio.to_thread(path.read_text)
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return [_root(line) for line in lines if line]

    return look


def behind_name(root: str) -> Look:
    """Each address of the root's host is a replica: the name of a headless service, for instance."""
    parts = urlsplit(root)

    async def look() -> Sequence[str]:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        hosts = sorted({address[0] for *_, address in found})
        return [urlunsplit(parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))
                for host in hosts]  # fmt: skip

    return look


def replica_id(url: str) -> str:
    """The same for one address in every process."""
    return "r-" + hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:8]


async def keep_following(replicas: Replicas, look: Look, every_s: float = 2.0) -> None:
    """Keep the set as the source says, until cancelled."""
    while True:
        await follow(replicas, look)
        await asyncio.sleep(every_s)


async def follow(replicas: Replicas, look: Look) -> None:
    """Take in what is new, let go of what is gone; attempts in flight there go on."""
    try:
        wanted = {replica_id(url): url for url in await look()}
    except (OSError, ValueError) as error:
        log.warning("replicas_not_found", error=str(error))
        return
    if not wanted:
        log.warning("replicas_not_found", error="the source names none")
        return
    there = {each.id for each in replicas.snapshot()}
    for key in wanted.keys() - there:
        log.info("replica_found", replica=key, url=wanted[key])
        replicas.add(wanted[key], key)
    for key in there - wanted.keys():
        log.info("replica_gone", replica=key)
        await replicas.remove(key)


def _root(line: str) -> str:
    parts = urlsplit(line)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{line!r} is no HTTP root such as http://10.0.0.7:8000")
    return line.rstrip("/")
