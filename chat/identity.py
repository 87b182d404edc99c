"""Who a website says its visitor is: a JSON Web Token (RFC 7519), HS256 with the site's secret, good for one use.

`sub` is the website's own id for the person, `aud` the site's key, `exp` five minutes ahead at most, `jti` never the
same twice. `verify` is pure; `prove` also sees to the one use.
"""

import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from chat.errors import Unauthorized, Unprocessable
from sessions import Person, Repository, Site

LONGEST_S = 300
SKEW_S = 30
"""How far a website's clock may be ahead of ours."""
MAX_CHARS = 200


@dataclass(frozen=True)
class Identity:
    subject: str
    jti: str
    expires_at: datetime


async def prove(repo: Repository, site: Site, token: str) -> Person:
    """The person of a token that has not been used before; raises Unauthorized, and Unprocessable without a secret."""
    if not site.secrets:
        raise Unprocessable("This site takes no identities.", code="identity_not_accepted", field="identity")
    identity = verify(token, site.key, site.secrets, time.time())
    if not await repo.persons.use_proof(site.key, identity.jti, identity.expires_at):
        raise _refused("identity_replayed", "The identity has been used before: sign a new one, with a new jti.")
    return Person(site.key, identity.subject)


async def admitted(repo: Repository, site: Site, identity: str | None, person: Person | None) -> Person | None:
    """Whose a new conversation on the site is: that of a signed identity, else of whom the caller has proved before.

    Raises Unauthorized when the proof is another site's, and when the site takes proved persons only.
    """
    if identity is not None:
        return await prove(repo, site, identity)
    if person is not None and person.site_key != site.key:
        raise Unauthorized("You are known to another site.", code="identity_wrong_site", field="site")
    if person is None and site.identity_required:
        raise _refused("identity_required", "This site serves signed-in customers only: send a signed identity.")
    return person


def verify(token: str, site_key: str, site_secrets: list[str], now_s: float) -> Identity:
    """Check signature, audience and times; any of the secrets will do. Raises Unauthorized."""
    claims = _signed(token, site_secrets)
    audience, expires = claims.get("aud"), claims.get("exp")
    if audience != site_key and not (isinstance(audience, list) and site_key in audience):
        raise _refused("identity_wrong_site", "The identity's aud is not the site's key.")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise _refused("identity_invalid", "The identity has no exp.")
    if not now_s < expires:
        raise _refused("identity_expired", "The identity has expired.")
    if not expires <= now_s + LONGEST_S + SKEW_S:
        raise _refused("identity_too_long", f"The identity is good for more than {LONGEST_S} s: bring exp nearer.")
    not_before = claims.get("nbf", 0)
    if not isinstance(not_before, int | float) or not_before > now_s + SKEW_S:
        raise _refused("identity_invalid", "The identity's nbf is not a time that has come.")
    expires_at = datetime.fromtimestamp(expires, UTC)
    return Identity(_text(claims, "sub"), _text(claims, "jti"), expires_at)


def sign(site_key: str, secret: str, subject: str) -> str:
    """What a website's server does for a visitor who is signed in."""
    claims = {"sub": subject, "aud": site_key, "exp": int(time.time()) + LONGEST_S, "jti": secrets.token_urlsafe(16)}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def audience(token: str) -> str | None:
    """The site that a token speaks of, as far as it can be believed before it is verified: not at all."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return None
    named = claims.get("aud") if isinstance(claims, dict) else None
    return named if isinstance(named, str) else None


def _signed(token: str, site_secrets: list[str]) -> dict[str, Any]:
    for secret in site_secrets:
        try:
            return jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims
        except (JoseError, ValueError):
            continue
    raise _refused("identity_invalid", "The identity is not an HS256 token that this site's secret signed.")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_CHARS or not value.isprintable():
        raise _refused("identity_invalid", f"The identity's {name} is not a text of 1 to {MAX_CHARS} characters.")
    return value


def _refused(code: str, detail: str) -> Unauthorized:
    return Unauthorized(detail, code=code, field="identity")
