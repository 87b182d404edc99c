"""`python -m chat.sites`: what an administrator can do, and what is shown only once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from chat.identity import verify
from chat.origins import parse_origin
from chat.settings import get_settings
from chat.sites import main
from sessions import Repository, Scope, Site, Staff, Store

T = TypeVar("T")


pytestmark = pytest.mark.usefixtures("command_log")


def look(question: Callable[[Repository], Awaitable[T]]) -> T:
    """What the store answers, from outside of the command."""

    async def ask() -> T:
        store = Store(get_settings().database_url)
        async with store.read() as repo:
            answer = await question(repo)
        await store.close()
        return answer

    return asyncio.run(ask())


def site(key: str) -> Site | None:
    return look(lambda repo: repo.sites.get(key))


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 0
    return capsys.readouterr().out


def test_demo_site_exists_from_the_start_and_allows_its_own_origin(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "list")
    assert [line.split()[0] for line in listed.splitlines()[:2]] == ["bank", "demo"]
    assert "http://127.0.0.1:8080" in listed
    assert site("demo").allowed_origins == ["http://127.0.0.1:8080", "http://localhost:8080"]


def test_added_site_has_a_secret_that_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "add", "lamps", "--name", "Lamps", "--origin", "https://Lamps.example/", "--pack", "demo-shop")
    secret = told.split("once): ")[1].strip()
    added = site("lamps")
    assert (added.name, added.allowed_origins, added.secrets) == ("Lamps", ["https://lamps.example"], [secret])
    assert secret not in run(capsys, "list")


def test_set_changes_what_is_named_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "add", "lamps", "--origin", "https://lamps.example")
    run(capsys, "set", "lamps", "--name", "Lamps & Co", "--disable")
    changed = site("lamps")
    assert (changed.name, changed.enabled, changed.allowed_origins) == ("Lamps & Co", False, ["https://lamps.example"])
    run(capsys, "set", "lamps", "--no-origins", "--enable")
    assert (site("lamps").allowed_origins, site("lamps").enabled) == ([], True)


def test_rotation_keeps_the_secret_before_and_no_older_one(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = [run(capsys, "add", "lamps").split("once): ")[1].strip()]
    secrets += [run(capsys, "rotate", "lamps").split("once): ")[1].strip() for _ in range(2)]
    assert site("lamps").secrets == [secrets[2], secrets[1]]
    run(capsys, "rotate", "lamps", "--salt")
    assert site("lamps").salt_epoch == 1


def test_a_site_can_ask_for_identities_and_one_can_be_signed_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "add", "lamps")
    run(capsys, "set", "lamps", "--require-identity")
    assert site("lamps").identity_required
    assert "identity required" in run(capsys, "list")
    signed = run(capsys, "sign", "lamps", "ada").strip()
    assert verify(signed, "lamps", site("lamps").secrets, time.time()).subject == "ada"
    run(capsys, "set", "lamps", "--allow-anonymous")
    assert not site("lamps").identity_required


@pytest.mark.parametrize("scope", list(Scope))
def test_key_of_a_site_opens_what_its_scope_says_until_it_is_revoked(
    capsys: pytest.CaptureFixture[str], scope: Scope
) -> None:
    told = run(capsys, "set", "demo", "--add-key", scope.value, "--label", "help desk")
    raw = told.split("once): ")[1].strip()
    assert look(lambda repo: repo.sites.by_key(raw)) == Staff("help desk", frozenset({scope}), frozenset({"demo"}))
    listed = run(capsys, "list")
    assert raw not in listed
    key_id = next(line.split()[0] for line in listed.splitlines() if "help desk" in line)
    run(capsys, "set", "demo", "--revoke-key", key_id)
    assert look(lambda repo: repo.sites.by_key(raw)) is None


@pytest.mark.parametrize(
    "argv",
    [
        ("add", "demo"),
        ("add", "lamps", "--pack", "nothing"),
        ("set", "nobody", "--name", "X"),
        ("rotate", "nobody"),
        ("sign", "demo", "ada"),
        ("set", "demo", "--revoke-key", "key_none"),
    ],
)
def test_what_cannot_be_is_one_sentence(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    assert main(argv) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("sites: ")
    assert len(told.err.splitlines()) == 1


def test_bad_setting_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINDESK_DATABASE_URL", "mysql://db/pindesk")
    assert main(("list",)) == 1
    assert "mysql" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://*.shop.example", "https://*.shop.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_origin_has_one_form(written: str, origin: str) -> None:
    assert parse_origin(written) == origin


@pytest.mark.parametrize(
    "written",
    ["shop.example", "*", "https://*", "null", "https://shop.example/path", "ftp://shop.example", "https://a b",
     "https://shop.example; script-src *", "https://user@shop.example", ""],
)  # fmt: skip
def test_what_is_no_origin_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        parse_origin(written)
