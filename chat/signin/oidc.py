"""Signing in by an OpenID Connect provider: authorization code with PKCE, state and nonce in a sealed cookie.

The provider only says who somebody is. What they may do is their account's matter, which exists before.
"""

import hashlib
import hmac
import time
from dataclasses import asdict, dataclass
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from chat.errors import ApiError, Away, Missing, Unauthorized
from chat.settings import Settings
from chat.signin.landing import Landing

SEAL_S = 600
COOKIE = "pindesk_oidc"
_SEALED = ("state", "nonce", "code_verifier", "redirect_uri", "popup", "next")


@dataclass(frozen=True)
class Identity:
    """`subject` is `issuer|sub`; `email` only if the provider has verified it."""

    subject: str
    email: str | None


@dataclass(frozen=True)
class Way:
    """Where a browser goes on to: a page of ours, or the end of the popup of a side panel."""

    popup: bool = False
    next: Landing = Landing.AGENT


class Oidc:
    """`PINDESK_OIDC_*`; without an issuer, `is_configured` is False and nothing else works."""

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self.is_configured = settings.oidc_issuer is not None
        self._key = OctKey.import_key(hmac.new(secret, b"oidc state", hashlib.sha256).digest())
        self._app = _client(settings) if self.is_configured else None

    async def begin(self, redirect_uri: str, way: Way) -> tuple[str, str]:
        """Where to send the browser, and the cookie's value to keep meanwhile. Raises Missing or Away."""
        try:
            asked = await self._provider.create_authorization_url(redirect_uri)
        except (HTTPError, OAuthError, KeyError, ValueError) as error:
            raise _away() from error
        held = {name: asked[name] for name in ("state", "nonce", "code_verifier")}
        return asked["url"], self._seal(held | {"redirect_uri": redirect_uri} | asdict(way))

    async def finish(self, state: str, code: str, sealed: str) -> tuple[Identity, Way]:
        """Who came back, and where to. Raises Unauthorized when anything does not fit, Missing or Away."""
        held = self._open(sealed)
        if not hmac.compare_digest(held["state"].encode(), state.encode()):
            raise _unfit()
        try:
            token = await self._provider.fetch_access_token(
                held["redirect_uri"], code=code, code_verifier=held["code_verifier"]
            )
            claims = await self._provider.parse_id_token(token, nonce=held["nonce"])
        except HTTPError as error:
            raise _away() from error
        except (OAuthError, JoseError, ValueError, KeyError) as error:
            raise _unfit() from error
        if not claims or not claims.get("sub"):
            raise _unfit()
        email = claims.get("email") if claims.get("email_verified") is True else None
        return Identity(f"{claims['iss']}|{claims['sub']}", email), Way(bool(held["popup"]), Landing(held["next"]))

    @property
    def _provider(self) -> StarletteOAuth2App:
        if self._app is None:
            raise Missing("No identity provider is configured.")
        return self._app

    def _seal(self, held: dict[str, Any]) -> str:
        return jwt.encode({"alg": "HS256"}, held | {"exp": int(time.time()) + SEAL_S}, self._key)

    def _open(self, sealed: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(sealed, self._key, algorithms=["HS256"]).claims
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(claims)
        except (JoseError, ValueError) as error:
            raise _unfit() from error
        return {name: claims[name] for name in _SEALED}


def _client(settings: Settings) -> StarletteOAuth2App:
    secret = settings.oidc_client_secret
    return OAuth().register(
        "staff",
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
            "timeout": 10,
        },
    )


def _unfit() -> ApiError:
    return Unauthorized("The sign-in was not completed: begin again.", code="sign_in_failed")


def _away() -> ApiError:
    return Away("The identity provider does not answer.", code="provider_unavailable")
