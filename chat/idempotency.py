"""`Idempotency-Key`: a creating call that is sent twice happens once and is answered twice.

The answer is stored in the transaction of the work itself, so there is no moment in which one exists without the
other. A key belongs to its caller and its address; with another body it is refused (422).
"""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from chat.auth import credentials
from chat.problems import replay_mismatch
from chat.schemas.request import KEY_PATTERN
from chat.services import Services, services_of
from sessions import Repository, Store

Answer = dict[str, Any]
FIELD = "Idempotency-Key"


@dataclass(frozen=True)
class Once:
    """One use of a key. `scope` is a hash of caller and call: nobody is answered what another one did."""

    scope: str
    key: str
    body_hash: str

    def secret(self, name: str, seed: bytes) -> str:
        """A secret that a repeated call gets again although the store does not hold it."""
        written = "\n".join((name, self.scope, self.key, self.body_hash))
        return hmac.new(seed, written.encode(), hashlib.sha256).hexdigest()


async def once_of(
    request: Request,
    services: Annotated[Services, Depends(services_of)],
    key: Annotated[str | None, Header(alias=FIELD, pattern=KEY_PATTERN)] = None,
) -> Once | None:
    """The call's key; an anonymous caller is told from others by the network address."""
    if key is None:
        return None
    caller = ",".join(credentials(request, services.settings)) or services.proxies.client_address(request.scope)
    scope = _hash(f"{caller}\n{request.method} {request.url.path}".encode())
    return Once(scope, key, _hash(_canonical(await request.body())))


Idempotent = Annotated[Once | None, Depends(once_of)]


async def write(
    store: Store, once: Once | None, work: Callable[[Repository], Awaitable[Answer]], *, about: str | None = None
) -> Answer:
    """Do `work` in one transaction, or return the answer that the same key got before.

    `about` is the conversation with which a stored answer goes; without it, the one that the answer's `id` names.
    """
    async with store.begin() as repo:
        if once is None:
            return await work(repo)
        kept = await repo.idempotency.find(once.scope, once.key)
        if kept is None:
            answer = await work(repo)
            conversation_id = about or answer.get("id")
            await repo.idempotency.keep(once.scope, once.key, once.body_hash, answer, conversation_id=conversation_id)
            return answer
        if kept.body_hash != once.body_hash:
            raise replay_mismatch(FIELD)
        return kept.response


def _canonical(body: bytes) -> bytes:
    # The same words in another order of fields are the same request.
    return json.dumps(json.loads(body), sort_keys=True).encode() if body else b""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
