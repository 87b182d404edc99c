"""Sites and the keys of programs and people who work for them."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Field

from sessions.columns import Json, Moment, now
from sessions.models.base import Base


class Site(Base, table=True):
    """One brand or tenant. `pack_version` None means the newest; `secrets` sign identities, two while rotating.

    With `identity_required` it serves nobody whom its website has not proved.
    """

    __tablename__ = "site"

    key: str = Field(primary_key=True)
    name: str
    allowed_origins: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    pack: str
    pack_version: str | None = None
    secrets: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    identity_required: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    salt_epoch: int = 0
    enabled: bool = True
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class ApiKey(Base, table=True):
    """A credential of the staff; only its hash is kept. `scope` is a Scope, `sites` None means every site."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    hash: str = Field(unique=True)
    scope: str
    sites: list[str] | None = Field(default=None, sa_type=Json)
    label: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
