"""Signing in."""

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

from chat.schemas.request import RequestBody
from sessions import Scope


class Credentials(RequestBody):
    login: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1000)]


class SignedIn(BaseModel):
    """`sites` null means every site."""

    name: str
    roles: list[Scope]
    sites: list[str] | None


class Ways(BaseModel):
    """`oidc` is what to call the identity provider; null where there is none."""

    password: bool
    oidc: str | None


class PanelToken(BaseModel):
    """For `Authorization: Bearer`; it ends with the session that made it."""

    token: str
