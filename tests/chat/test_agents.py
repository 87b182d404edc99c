"""`python -m chat.agents`: accounts from nothing to a sign-in, and the audit log."""

import asyncio
import io
from collections.abc import Callable

import pytest

from chat.agents import main
from chat.settings import get_settings
from chat.signin.passwords import matches
from sessions import Account, Store

pytestmark = pytest.mark.usefixtures("command_log")
PASSWORD = "correct horse battery"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A run with its standard input; what it printed."""

    def run_it(*argv: str, stdin: str = "", code: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        assert main(argv) == code
        printed = capsys.readouterr()
        return printed.err if code else printed.out

    return run_it


def account(login: str) -> Account | None:
    async def ask() -> Account | None:
        store = Store(get_settings().database_url)
        async with store.read() as repo:
            found = await repo.people.by_login(login)
        await store.close()
        return found

    return asyncio.run(ask())


def test_added_account_has_a_hash_and_no_password(run: Callable[..., str]) -> None:
    run("add", "Kim@Example.com", "--name", "Kim", "--site", "demo", stdin=PASSWORD + "\n")
    kept = account("kim@example.com")
    assert (kept.name, kept.roles, kept.sites) == ("Kim", ["agent"], ["demo"])
    assert kept.password_hash.startswith("$argon2id$")
    assert asyncio.run(matches(kept.password_hash, PASSWORD))
    listed = run("list")
    assert listed == "kim@example.com  Kim  agent  demo  password\n"
    assert kept.password_hash not in run("log")


def test_account_works_for_named_sites_or_is_said_to_work_for_all(run: Callable[..., str]) -> None:
    with pytest.raises(SystemExit):
        main(["add", "lee@example.com"])
    assert "There is no site 'lamps'" in run("add", "lee@example.com", "--site", "lamps", stdin=PASSWORD, code=1)
    run("add", "lee@example.com", "--every-site", "--role", "agent", "--role", "operator", "--no-password")
    assert (account("lee@example.com").sites, account("lee@example.com").roles) == (None, ["agent", "operator"])


@pytest.mark.parametrize("password", ["", "short", "x" * 300])
def test_password_has_a_fitting_length(run: Callable[..., str], password: str) -> None:
    told = run("add", "max@example.com", "--every-site", stdin=password + "\n", code=1)
    assert "12 to 256 characters" in told
    assert account("max@example.com") is None


def test_login_and_name_are_taken_once(run: Callable[..., str]) -> None:
    run("add", "kim@example.com", "--name", "Kim", "--every-site", stdin=PASSWORD)
    for login, name in (("KIM@example.com", "Other"), ("other@example.com", "Kim")):
        told = run("add", login, "--name", name, "--every-site", stdin=PASSWORD, code=1)
        assert "already" in told


def test_change_sets_what_is_named_and_is_audited(run: Callable[..., str]) -> None:
    run("add", "kim@example.com", "--name", "Kim", "--every-site", stdin=PASSWORD)
    run("set", "kim@example.com", "--site", "demo", "--password", stdin="another long password")
    kept = account("kim@example.com")
    assert (kept.name, kept.sites) == ("Kim", ["demo"])
    assert not asyncio.run(matches(kept.password_hash, PASSWORD))
    run("set", "kim@example.com", "--disable")
    assert account("kim@example.com").disabled_at is not None
    run("set", "kim@example.com", "--enable")
    assert account("kim@example.com").disabled_at is None
    assert run("log").count("account.changed") == 3
    assert "no account" in run("set", "nobody@example.com", "--enable", code=1)
