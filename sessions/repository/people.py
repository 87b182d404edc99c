"""`repo.people`: the people of the staff and their sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from sessions.columns import now
from sessions.errors import Conflict, NotFound
from sessions.identifiers import ACCOUNT, STAFF_SESSION, digest, new_id, new_secret
from sessions.models import Account, StaffSession
from sessions.principal import Scope, Staff
from sessions.repository.part import Part

_CHANGEABLE = frozenset({"name", "roles", "sites", "password_hash", "subject", "disabled_at"})


@dataclass(frozen=True)
class Lifetime:
    """A session ends after `idle` without a call, and `longest` after its sign-in however busy."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True)
class SignedIn:
    """Whose session it is, and when it was last seen in use."""

    account: Account
    seen_at: datetime

    @property
    def staff(self) -> Staff:
        sites = None if self.account.sites is None else frozenset(self.account.sites)
        scopes = frozenset(Scope(role) for role in self.account.roles)
        return Staff(name=self.account.name, scopes=scopes, sites=sites, account_id=self.account.id)


class People(Part):
    async def add(self, login: str, name: str, roles: Sequence[Scope], sites: Sequence[str] | None) -> Account:
        """A new account that nobody can sign in to yet. Raises Conflict `account_exists`."""
        await self.tx.wait_alone("accounts")
        taken = select(Account.id).where(or_(Account.login == login.lower(), Account.name == name))
        if await self.session.scalar(taken.limit(1)):
            raise Conflict("account_exists", "There is an account with this login or this name already.")
        listed = None if sites is None else list(sites)
        account = Account(id=new_id(ACCOUNT), login=login.lower(), name=name, roles=list(roles), sites=listed)
        self.session.add(account)
        return account

    async def update(self, login: str, /, **changes: Any) -> Account:
        """Set fields of an account. Raises NotFound, and TypeError for a field that cannot be changed."""
        if unknown := changes.keys() - _CHANGEABLE:
            raise TypeError(f"not a changeable field of an account: {', '.join(sorted(unknown))}")
        account = await self.by_login(login)
        if account is None:
            raise NotFound(f"no account {login!r}")
        for name, value in changes.items():
            setattr(account, name, value)
        return account

    async def list(self) -> Sequence[Account]:
        """Every account, by login."""
        return (await self.session.scalars(select(Account).order_by(Account.login))).all()

    async def by_login(self, login: str) -> Account | None:
        return await self.session.scalar(select(Account).where(Account.login == login.lower()))

    async def by_subject(self, subject: str) -> Account | None:
        """The account of whoever an identity provider calls by this `issuer|sub`."""
        return await self.session.scalar(select(Account).where(Account.subject == subject))

    async def begin_session(self, account_id: str, *, parent: str | None = None) -> str:
        """A new session's secret, of which only the hash is kept; `parent` is the secret of the one that makes it."""
        raw = new_secret(STAFF_SESSION)
        of = None if parent is None else digest(parent)
        self.session.add(StaffSession(hash=digest(raw), account_id=account_id, parent=of))
        return raw

    async def signed_in(self, raw: str, lifetime: Lifetime) -> SignedIn | None:
        """Whose session this is; None when it is unknown or over, or the account is disabled."""
        current = now()
        found = await self.session.execute(
            select(Account, StaffSession.seen_at)
            .join(StaffSession, StaffSession.account_id == Account.id)
            .where(
                StaffSession.hash == digest(raw),
                StaffSession.seen_at > current - lifetime.idle,
                StaffSession.created_at > current - lifetime.longest,
                Account.disabled_at.is_(None),
            )
        )
        row = found.one_or_none()
        return None if row is None else SignedIn(*row)

    async def touch_session(self, raw: str) -> None:
        """The session is in use."""
        await self.session.execute(update(StaffSession).where(StaffSession.hash == digest(raw)).values(seen_at=now()))

    async def end_session(self, raw: str) -> None:
        """Sign out, also the side panels that this session signed in."""
        await self.session.execute(delete(StaffSession).where(StaffSession.hash == digest(raw)))

    async def end_sessions(self, account_id: str) -> None:
        """Sign the account out everywhere."""
        await self.session.execute(delete(StaffSession).where(StaffSession.account_id == account_id))

    async def expire_sessions(self, lifetime: Lifetime) -> None:
        """Forget sessions that are over."""
        current = now()
        over = or_(
            StaffSession.seen_at <= current - lifetime.idle, StaffSession.created_at <= current - lifetime.longest
        )
        await self.session.execute(delete(StaffSession).where(over))
