"""The people of the staff: their accounts, their server sessions, what they did to them, whether they are there."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from sessions.columns import Json, Moment, Words, now
from sessions.models.base import Base


class Account(Base, table=True):
    """`login` is unique and lower case, `name` unique: customers read it. `roles` are Scopes.

    `sites` None means every site. Without `password_hash` only the identity provider signs this account in; `subject`
    is who that says it is, as `issuer|sub`, bound at the first sign-in.
    """

    __tablename__ = "account"

    id: str = Field(primary_key=True)
    login: str = Field(unique=True)
    name: str = Field(unique=True)
    roles: list[str] = Field(sa_type=Json, nullable=False)
    sites: list[str] | None = Field(default=None, sa_type=Json)
    password_hash: str | None = None
    subject: str | None = Field(default=None, unique=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)


class StaffSession(Base, table=True):
    """One sign-in. Its secret is kept as a hash only. `parent` is the session that made this one for a side panel."""

    __tablename__ = "staff_session"

    hash: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    parent: str | None = Field(default=None, foreign_key="staff_session.hash", ondelete="CASCADE")
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    seen_at: datetime = Field(default_factory=now, sa_type=Moment)


class AuditEntry(Base, table=True):
    """Who did what: `actor` is a login or a name, `about` an id. Nobody's text stands here."""

    __tablename__ = "audit_entry"

    id: str = Field(primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=Moment, index=True)
    actor: str = Field(sa_type=Words)
    action: str
    about: str | None = None
    address: str | None = None
    details: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)


class Presence(Base, table=True):
    """A desk that is open now: a stream of the queue. `seen_at` is the database's clock in seconds."""

    __tablename__ = "presence"

    stream: str = Field(primary_key=True)
    name: str
    sites: list[str] | None = Field(default=None, sa_type=Json)
    seen_at: float
