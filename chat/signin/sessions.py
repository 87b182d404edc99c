"""Signing in and out. Every attempt is in the audit log."""

from datetime import UTC, datetime, timedelta

from chat.errors import Forbidden, Refused, Unauthorized
from chat.services import Services
from chat.settings import Settings
from chat.signin.passwords import matches
from sessions import Account, Lifetime, Staff

TOUCHED_EVERY = timedelta(minutes=1)


def lifetime(settings: Settings) -> Lifetime:
    return Lifetime(settings.session_idle, settings.session_longest)


async def sign_in(services: Services, login: str, password: str, *, address: str) -> tuple[str, Account]:
    """A new session's secret and whose it is. Raises TooMany, and Unauthorized without saying what was wrong."""
    services.limits.login(login=login.lower(), address=address)
    async with services.store.read() as repo:
        account = await repo.people.by_login(login)
    right = await matches(account.password_hash if account else None, password)
    if account is None or account.disabled_at is not None or not right:
        await refused(services, login, address=address, reason="password")
        raise Unauthorized("This login and password do not go together.", code="wrong_credentials")
    return await begin(services, account, address=address, by="password"), account


async def begin(services: Services, account: Account, *, address: str, by: str) -> str:
    """A new session for somebody who has shown who they are."""
    async with services.store.begin() as repo:
        secret = await repo.people.begin_session(account.id)
        await repo.audit.write(account.login, "session.begun", about=account.id, address=address, by=by)
    return secret


async def refused(services: Services, login: str, *, address: str, reason: str) -> None:
    """Somebody tried to sign in and was not let in."""
    services.limits.login_failed(address=address)
    async with services.store.begin() as repo:
        await repo.audit.write(login[:200], "session.refused", address=address, reason=reason)


async def staff_of(services: Services, secret: str) -> Staff | None:
    """Whose session it is, and that it is in use; None when it is over."""
    async with services.store.read() as repo:
        found = await repo.people.signed_in(secret, lifetime(services.settings))
    if found is None:
        return None
    if datetime.now(UTC) - found.seen_at > TOUCHED_EVERY:
        async with services.store.begin() as repo:
            await repo.people.touch_session(secret)
    return found.staff


async def for_side_panel(services: Services, secret: str | None) -> str:
    """The secret of a session for a side panel in another page, which gets no cookie; it ends with this one."""
    if secret is None:
        raise Refused("Sign in with an account: a key needs no session.", code="no_session")
    async with services.store.begin() as repo:
        found = await repo.people.signed_in(secret, lifetime(services.settings))
        if found is None:
            raise Unauthorized
        made = await repo.people.begin_session(found.account.id, parent=secret)
        await repo.audit.write(found.account.login, "session.begun", about=found.account.id, by="side panel")
    return made


async def sign_out(services: Services, secret: str, *, address: str) -> None:
    """End the session; one that is over already is no fault."""
    async with services.store.begin() as repo:
        found = await repo.people.signed_in(secret, lifetime(services.settings))
        await repo.people.end_session(secret)
        if found is not None:
            await repo.audit.write(found.account.login, "session.ended", about=found.account.id, address=address)


async def by_identity(services: Services, subject: str, email: str | None, *, address: str) -> str:
    """A session for whoever the identity provider says it is. Raises Forbidden when no account is theirs.

    The first time, the account whose login is the verified `email` becomes theirs; later only `subject` counts.
    """
    async with services.store.begin() as repo:
        account = await repo.people.by_subject(subject)
        if account is None and email is not None:
            account = await repo.people.by_login(email)
            if account is not None and account.subject is None:
                await repo.people.update(account.login, subject=subject)
    if account is None or account.disabled_at is not None or account.subject != subject:
        await refused(services, email or subject, address=address, reason="identity")
        raise Forbidden("No account here is yours.", code="unknown_account")
    return await begin(services, account, address=address, by="identity")
